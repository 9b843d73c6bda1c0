// Package logging judges whether what happens at the ports leaves its trace, and
// nothing else does.
package logging

const area = "logging"
