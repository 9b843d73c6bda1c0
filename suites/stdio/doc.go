// Package stdio judges whether the connection is the server's standard input and
// output, as it is, with nothing else beside it.
package stdio

const area = "stdio"
