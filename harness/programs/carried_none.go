//go:build !dist

package programs

import "embed"

// A program that is built in a checkout carries none, and builds them there.
var carried embed.FS
