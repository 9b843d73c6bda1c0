package programs

import "fmt"

// CarriedDir is the folder of this package that holds the built programs while a
// program that carries them is built.
const CarriedDir = "harness/programs/carried"

// Carried are the programs that this one has within itself; ok is false where it
// has none, and they must be built in the harness's directory.
func Carried() (set Set, ok bool) {
	if _, err := carried.ReadDir("carried"); err != nil {
		return nil, false
	}
	set = Set{}
	for _, p := range programs() {
		text, err := carried.ReadFile("carried/" + p.name)
		if err != nil {
			panic(fmt.Sprintf("this program was built without %s", p.name))
		}
		set[p.name] = text
	}
	return set, true
}
