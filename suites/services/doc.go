// Package services judges whether the package installs, whether xinetd runs
// with it, and whether both services are in effect what the reference blocks say.
package services

const area = "services"
