// Package ci tests what CI systems run: the action and its script.
package ci
