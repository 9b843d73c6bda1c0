// Package reuse judges whether the ports can be bound again at once, with old
// connections still on them.
package reuse

const area = "reuse"
