package observe

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
)

// Where systemd looks for units, as far as packages and administrators put them there.
// Source: systemd.unit(5), unit file load path; what comes first hides what follows.
var unitDirs = []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"}

// killMode is a line that says what becomes of the processes of a unit.
var killMode = regexp.MustCompile(`(?m)^\s*KillMode\s*=\s*\S`)

// UnitEndsSessions says that xinetd's unit is the distribution's own and that nobody has
// said what a stop does to the processes of the unit: then it ends them all, and
// the sessions are among them. Debian 12 has no unit, and systemd makes one that
// spares them. The package's own files are those that it laid over the root.
func UnitEndsSessions(root fs.FS, own []string) bool {
	for _, dir := range unitDirs {
		name := path.Join(dir, xinetdUnit)
		text, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		if dir == unitDirs[0] || slices.Contains(own, "/"+name) || killMode.Match(text) {
			return false
		}
		return !droppedIn(root)
	}
	return false
}

// droppedIn says whether a drop-in has the line.
func droppedIn(root fs.FS) bool {
	for _, dir := range unitDirs {
		for _, kind := range []string{xinetdUnit + ".d", "service.d"} {
			at := path.Join(dir, kind)
			entries, _ := fs.ReadDir(root, at) // most are not there
			for _, e := range entries {
				text, err := fs.ReadFile(root, path.Join(at, e.Name()))
				if err == nil && path.Ext(e.Name()) == ".conf" && killMode.Match(text) {
					return true
				}
			}
		}
	}
	return false
}
