// Package access judges whether every access rule of xinetd's lets in whom it
// should and keeps out the others, on all three planes.
package access

// area is the name of this one in the catalogue.
const area = "access"
