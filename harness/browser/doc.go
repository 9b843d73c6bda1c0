// Package browser tests report.html as a person meets it: in a real browser. It
// is a module of its own, so that judging a set-up needs neither the browser nor
// the library that drives it.
package browser
