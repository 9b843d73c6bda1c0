// Package docker carries what the images are made of, so that a compiled
// binary needs no checkout beside it.
package docker

import "embed"

// Names of the embedded files.
const (
	// Target lays the harness's own programs over any base image. Build argument: BASE.
	Target = "Dockerfile"
	// Tree adds tree.tar of the build context to an image. Build argument: BASE.
	Tree = "tree/Dockerfile"
	// Systemd makes a base that can boot systemd of a Debian base. Build argument: BASE.
	Systemd = "systemd/Dockerfile"
	// RegistryBase makes a base from a Debian image of a registry. Build argument: BASE.
	RegistryBase = "base/Dockerfile"
	// Bootstrap makes the same base from Debian packages: a POSIX shell script,
	// called with the release's name, that writes a tar archive to its standard output.
	Bootstrap = "base/bootstrap.sh"
)

// Exit statuses of [Bootstrap], beside 0 and whatever the tools it calls end with.
const (
	// BootstrapUnknownRelease says that the release is not one we make.
	BootstrapUnknownRelease = 64
	// BootstrapMissingTool says that something must be installed first; the last
	// line on standard error tells what, and how.
	BootstrapMissingTool = 69
)

//go:embed Dockerfile tree/Dockerfile systemd/Dockerfile base/Dockerfile base/bootstrap.sh
var files embed.FS

// File returns the content of one of the files named above; another name is a
// programming error and panics.
func File(name string) []byte {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return content
}
