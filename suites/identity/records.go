package identity

import (
	"fmt"
	"io/fs"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
	"qmconformance/harness/wire/symptom"
)

var _ = judge.Section(area, "records of several users", func() {
	judge.On("IDENT-23", observe.Records, memberCreates)
	judge.On("IDENT-24", observe.Records, strangerCreates)
	judge.On("IDENT-19", observe.Records, fileForTheGroup)
	judge.On("IDENT-20", observe.Records, directoryForTheGroup)
	judge.On("IDENT-21", observe.Records, secondUserChanges)
	judge.On("IDENT-22", observe.Records, sharedDirectory)
})

func memberCreates(_ judge.Case, f observe.Recorded) verdict.Finding {
	return created(f.Created, f.Directory, "a user whose primary group is qmusers")
}

func strangerCreates(_ judge.Case, f observe.Recorded) verdict.Finding {
	return created(f.OwnCreated, f.OwnDirectory, "a user with a primary group of its own")
}

func created(s observe.Step, d observe.Stored, who string) verdict.Finding {
	expected := fmt.Sprintf("%q of %s makes a directory in the tree", s.Did, who)
	return verdict.That(d.Exists && d.Entry.Mode.IsDir(), expected, said(s), symptom.Of(s.Said).Hint())
}

func said(s observe.Step) string {
	return fmt.Sprintf("%s tried to %s; the server said %q", s.User, s.Did, strings.Join(strings.Fields(s.Said), " "))
}

func fileForTheGroup(_ judge.Case, f observe.Recorded) verdict.Finding {
	if !f.Record.Exists {
		return verdict.Violated("a record in the new file", said(f.Wrote), "")
	}
	return forTheGroup(f.Record, f.Qmusers, 0o060)
}

func directoryForTheGroup(_ judge.Case, f observe.Recorded) verdict.Finding {
	return forTheGroup(f.Directory, f.Qmusers, 0o070)
}

func forTheGroup(s observe.Stored, qmusers int, need fs.FileMode) verdict.Finding {
	e := s.Entry
	expected := fmt.Sprintf("group %d (qmusers), which may do everything with it", qmusers)
	holds := int(e.GID) == qmusers && e.Mode.Perm()&need == need
	return verdict.That(holds, expected, fmt.Sprintf("%s has mode %v and group %d", e.Path, e.Mode, e.GID), "")
}

func secondUserChanges(_ judge.Case, f observe.Recorded) verdict.Finding {
	return changed(f.Wrote, f.Record, f.Changed, f.ChangedRecord)
}

func sharedDirectory(_ judge.Case, f observe.Recorded) verdict.Finding {
	if !f.SharedRecord.Exists {
		return verdict.Violated("a record in the set-gid directory", said(f.SharedWrote), "")
	}
	return changed(f.SharedWrote, f.SharedRecord, f.SharedChanged, f.SharedAfter)
}

// changed looks at the record itself, before and after, and not at what the
// server says of it.
func changed(wrote observe.Step, before observe.Stored, change observe.Step, after observe.Stored) verdict.Finding {
	expected := fmt.Sprintf("the record that %s wrote is another after %s has written it", wrote.User, change.User)
	holds := before.Exists && after.Exists && before.Text != after.Text
	e := after.Entry
	return verdict.That(holds, expected, fmt.Sprintf("%s; the record has mode %v, owner %d:%d", said(change), e.Mode, e.UID, e.GID), "")
}
