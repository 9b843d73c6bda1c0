// Package subject is what is judged: a package, a qm and a base. It checks what
// the user named before anything is built or booted, so that a mistake costs a
// second and is told in one line.
package subject

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"qmconformance/harness/settings"
	"qmconformance/harness/usage"
)

// Kinds of qm, as results.json names them.
const (
	KindScarletDME = "scarletdme"
	KindStandIn    = "standin"
)

// Subject is what a run judges, checked.
type Subject struct {
	// Package is the directory of the package; empty when the base holds it.
	Package string
	// PackageName is how reports name it.
	PackageName string
	// Tree is the directory of an installed ScarletDME; empty for the stand-in
	// and for a base that holds its own.
	Tree string
	// QMSource is how reports name the origin of the qm: a path, standin, image.
	QMSource string
	Base     string
}

// Resolve checks the settings. reference is the directory of the reference
// package.
func Resolve(s settings.Settings, reference string) (Subject, error) {
	sub := Subject{Base: s.Base, QMSource: s.QMSys}
	switch s.Package {
	case settings.None:
		sub.PackageName = settings.None
	case "":
		sub.Package, sub.PackageName = reference, "fixtures/reference"
	default:
		sub.Package, sub.PackageName = s.Package, s.Package
	}
	if sub.Package != "" {
		if err := checkPackage(sub.Package); err != nil {
			return sub, err
		}
	}
	if s.QMSys != settings.StandIn && s.QMSys != settings.Image {
		sub.Tree = s.QMSys
		if err := checkTree(sub.Tree); err != nil {
			return sub, err
		}
	}
	return sub, nil
}

func checkPackage(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usage.Errorf("PACKAGE=%s does not exist; name a directory that is laid over the target's root (fixtures/reference is an example), or PACKAGE=none", dir)
	case err != nil:
		return usage.Errorf("PACKAGE=%s cannot be read: %v", dir, err)
	case !info.IsDir():
		return usage.Errorf("PACKAGE=%s is not a directory; unpack the package first and name the directory", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return usage.Errorf("PACKAGE=%s cannot be read: %v", dir, err)
	}
	if len(entries) == 0 {
		return usage.Errorf("PACKAGE=%s is empty; name the directory that holds the package's etc/, or PACKAGE=none to judge what the base image holds", dir)
	}
	return nil
}

// checkTree wants a ScarletDME that can run here: an ELF program of this
// machine's architecture at bin/qm.
func checkTree(dir string) error {
	qm := filepath.Join(dir, "bin", "qm")
	info, err := os.Stat(qm)
	if err != nil || !info.Mode().IsRegular() {
		return usage.Errorf("QMSYS=%s holds no bin/qm; name the directory of an installed ScarletDME, or QMSYS=standin", dir)
	}
	f, err := elf.Open(qm)
	if err != nil {
		return usage.Errorf("QMSYS=%s: bin/qm is not a Linux program (%v); name the directory of an installed ScarletDME, or QMSYS=standin", dir, err)
	}
	defer f.Close()
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return usage.Errorf("QMSYS=%s: bin/qm is built for %v and this machine is %s; name a ScarletDME built for it, or QMSYS=standin", dir, f.Machine, runtime.GOARCH)
	}
	return nil
}

var machines = map[string]elf.Machine{
	"amd64":   elf.EM_X86_64,
	"arm64":   elf.EM_AARCH64,
	"riscv64": elf.EM_RISCV,
	"ppc64le": elf.EM_PPC64,
	"s390x":   elf.EM_S390,
}
