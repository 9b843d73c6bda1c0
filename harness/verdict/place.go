package verdict

import "fmt"

// Place is the line of the subject that decides a finding: the one to change, or
// the beginning of the block that lacks one. It is no part of results.json, whose
// hint says the same in words; programs that show a file want it apart.
type Place struct {
	// File is a path in the target, such as /etc/xinetd.d/qmserver, or the name of
	// one of the package's own scripts, setup.sh or start.sh.
	File string `json:"file"`
	// Line is 0 where the whole file is meant.
	Line int `json:"line"`
}

// Known says that there is a place.
func (p Place) Known() bool { return p.File != "" }

// String is "file:line", as editors take it.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// At names the place of a finding that is not kept. One that is has none.
func (f Finding) At(file string, line int) Finding {
	if f.Kind == Fail && file != "" {
		f.Where = Place{file, line}
	}
	return f
}
