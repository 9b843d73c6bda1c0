//go:build dist

package programs

import "embed"

// "make dist" puts them there first.
//
//go:embed carried/agent carried/standin carried/probe
var carried embed.FS
