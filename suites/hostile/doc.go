// Package hostile judges what clients that misbehave leave behind.
package hostile

const area = "hostile"

var _ = area
