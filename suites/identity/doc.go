// Package identity judges who a session is, what it may do with the tree, and
// whether two users can work on the same records.
package identity

const area = "identity"
