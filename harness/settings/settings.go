// Package settings reads what the user chose. The environment is the only
// source, so that make, ginkgo and a script of somebody's set the same things
// in the same way.
package settings

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"qmconformance/harness/usage"
)

// Profile says how long a run may take.
type Profile string

// The profiles: Quick leaves out every requirement that takes a long wait.
const (
	Full  Profile = "full"
	Quick Profile = "quick"
)

// None is the PACKAGE that judges what the base image already holds.
const None = "none"

// Values of QMSYS that are not a directory.
const (
	StandIn = "standin"
	Image   = "image"
)

// Releases are the Debian releases that BASE may name; anything else is an image.
var Releases = []string{"bookworm", "trixie"}

// UsualTree is where ScarletDME's own installation puts its tree.
const UsualTree = "/usr/qmsys"

// Settings are the variables of the commands.
type Settings struct {
	Package string // directory, None, or empty for the reference package
	QMSys   string // directory, StandIn or Image
	Base    string // Debian release or image name
	Focus   string
	Labels  string
	Results string
	Profile Profile
	// Baseline is what a benchmark is compared with: a package's directory, a
	// bench.json, or an image; empty for nothing.
	Baseline string
	Strict   bool
	Procs    int
	// Annotate says that what is red is told to GitHub Actions as well.
	Annotate bool
	// Command are the words that start a run where it is not make that does.
	Command []string
	// Defaulted names the variables that the user left alone.
	Defaulted map[string]bool
}

// Read reads the variables through a lookup such as os.Getenv, relative to a
// directory. hasTree reports whether the host has a ScarletDME at a path; it
// decides the default of QMSYS.
func Read(getenv func(string) string, dir string, hasTree func(string) bool) (Settings, error) {
	s := Settings{Defaulted: map[string]bool{}}
	text := func(name, usual string) string {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			return v
		}
		s.Defaulted[name] = true
		return usual
	}
	path := func(v string) string {
		if filepath.IsAbs(v) {
			return filepath.Clean(v)
		}
		return filepath.Join(dir, v)
	}

	s.Package = text("PACKAGE", "")
	if s.Package != "" && s.Package != None {
		s.Package = path(s.Package)
	}
	usualQM := StandIn
	if hasTree(UsualTree) {
		usualQM = UsualTree
	}
	s.QMSys = text("QMSYS", usualQM)
	if s.QMSys != StandIn && s.QMSys != Image {
		s.QMSys = path(s.QMSys)
	}
	s.Base = text("BASE", "bookworm")
	s.Focus = text("FOCUS", "")
	s.Labels = text("LABELS", "")
	s.Results = path(text("RESULTS", "results"))
	s.Baseline = text("BASELINE", "")

	switch p := Profile(text("PROFILE", string(Full))); p {
	case Full, Quick:
		s.Profile = p
	default:
		return s, usage.Errorf("PROFILE=%s is neither full nor quick; leave it out for full", p)
	}
	switch v := text("STRICT", "0"); v {
	case "0", "1":
		s.Strict = v == "1"
	default:
		return s, usage.Errorf("STRICT=%s is neither 0 nor 1; set STRICT=1 to count a failing SHOULD", v)
	}
	annotate := "0"
	if getenv("GITHUB_ACTIONS") == "true" {
		annotate = "1"
	}
	switch v := text("ANNOTATE", annotate); v {
	case "0", "1":
		s.Annotate = v == "1"
	default:
		return s, usage.Errorf("ANNOTATE=%s is neither 0 nor 1; leave it out to have GitHub Actions annotated where they run", v)
	}
	procs, err := strconv.Atoi(text("PROCS", strconv.Itoa(usualProcs())))
	if err != nil || procs < 1 || procs > maxProcs {
		return s, usage.Errorf("PROCS=%s is not a number from 1 to %d; leave it out to have it follow the cores", getenv("PROCS"), maxProcs)
	}
	s.Procs = procs
	return s, nil
}

// maxProcs bounds how many targets may run at once: each has up to half a
// gigabyte of its own.
const maxProcs = 16

// usualProcs is one target for each core, and two at least: a target spends
// most of its time waiting.
func usualProcs() int { return min(max(2, runtime.NumCPU()), 8) }

// HasTree reports whether a directory holds an installed ScarletDME.
func HasTree(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "bin", "qm"))
	return err == nil && info.Mode().IsRegular()
}
