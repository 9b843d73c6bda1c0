package judge

import (
	"io/fs"

	"qmconformance/fixtures"
	"qmconformance/harness/verdict"
)

// Known reads the lists of known failures that are built in.
func Known() (verdict.KnownFailures, error) {
	sub, err := fs.Sub(fixtures.Files, "known-failing")
	if err != nil {
		return nil, err
	}
	return verdict.ReadKnown(sub, Catalogue)
}
