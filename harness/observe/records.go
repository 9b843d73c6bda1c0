package observe

import (
	"context"
	"errors"
	"path"
	"time"

	"qmconformance/harness/agent"
	"qmconformance/harness/requirement"
	"qmconformance/harness/target"
)

// Step is one thing that a user did, and what the server said to it.
type Step struct {
	User string
	Did  string
	Said string
	// LoggedIn is false where the user did not even get in.
	LoggedIn bool
}

// Stored is a file or directory of the tree after a step.
type Stored struct {
	Exists bool
	Entry  agent.Entry
	// Text is the content of a file.
	Text string
}

// Recorded is what several users made of the same file of the database's.
type Recorded struct {
	Service requirement.Service
	Qmusers int
	// Created: a user with qmusers as primary group made a file, a directory in the
	// tree, and wrote a record into it, a file in that directory.
	Created   Step
	Directory Stored
	Wrote     Step
	Record    Stored
	// Changed: a second such user wrote the record anew.
	Changed       Step
	ChangedRecord Stored
	// OwnCreated: a user with a primary group of its own made a file.
	OwnCreated   Step
	OwnDirectory Stored
	// Shared: a set-gid directory took the place of the first one; a user with a group of its own
	// wrote a record into it, and a second such user changed it.
	SharedWrote   Step
	SharedRecord  Stored
	SharedChanged Step
	SharedAfter   Stored
}

// The records' contents are two entries of the vocabulary that every account
// has, so that a terminal session can write them with one plain command.
const (
	firstSource  = "WHO"
	secondSource = "OFF"
)

// Records lets users work on the same records, each through its own session.
var Records = &Look[Recorded]{
	Name: "records", Stage: AsShipped, Each: true,
	// Five sessions with a login each, and a few commands.
	Limit: 120 * time.Second,
	// The files that users make here have the modes and groups of users' files.
	After: []Plan{TreeOf.Plan()},
	Take:  records,
}

func records(ctx context.Context, s *Scene) (Recorded, error) {
	f := Recorded{Service: s.Service}
	accounts, err := readAccounts(ctx, s)
	if err != nil {
		return f, err
	}
	f.Qmusers = accounts.GID("qmusers")
	// Named by service: both services' looks share the tree.
	name, own := "HARNESS.S", "HARNESS.OWN.S"
	if s.Service == requirement.QMClient {
		name, own = "HARNESS.C", "HARNESS.OWN.C"
	}
	dir := path.Join(s.Tree, name)
	w := worker{s, &err}

	w.as(ctx, target.Carol, func(o *Session) {
		f.Created = w.do(ctx, o, target.Carol, "CREATE.FILE "+name+" DIRECTORY")
		f.Wrote = w.do(ctx, o, target.Carol, "COPY FROM VOC TO "+name+" "+firstSource+",R1")
	}, &f.Created)
	// As it is when its user has left: what changes new files behind their users' backs needs
	// a moment for it, and on a busy machine one more command is too few.
	f.Record = w.stored(ctx, path.Join(dir, "R1"))
	w.as(ctx, target.Dave, func(o *Session) {
		f.Changed = w.do(ctx, o, target.Dave, "COPY FROM VOC TO "+name+" "+secondSource+",R1 OVERWRITING")
		f.ChangedRecord = w.stored(ctx, path.Join(dir, "R1"))
	}, &f.Changed)
	// As the second user met it: what watches directories had time to change them.
	f.Directory = w.stored(ctx, dir)
	if f.Directory.Exists {
		w.share(ctx, dir, name)
	}
	w.as(ctx, target.Alice, func(o *Session) {
		f.OwnCreated = w.do(ctx, o, target.Alice, "CREATE.FILE "+own+" DIRECTORY")
		f.SharedWrote = w.do(ctx, o, target.Alice, "COPY FROM VOC TO "+name+" "+firstSource+",R2")
		f.SharedRecord = w.stored(ctx, path.Join(dir, "R2"))
	}, &f.OwnCreated)
	w.as(ctx, target.Bob, func(o *Session) {
		f.SharedChanged = w.do(ctx, o, target.Bob, "COPY FROM VOC TO "+name+" "+secondSource+",R2 OVERWRITING")
		f.SharedAfter = w.stored(ctx, path.Join(dir, "R2"))
	}, &f.SharedChanged)
	f.OwnDirectory = w.stored(ctx, path.Join(s.Tree, own))
	return f, err
}

// worker keeps the first error of the harness's own; after one it does nothing.
type worker struct {
	s   *Scene
	err *error
}

// as runs a piece of work in a session of the user's; a login that fails is
// noted in the step that it keeps from happening.
func (w worker) as(ctx context.Context, user agent.User, work func(*Session), first *Step) {
	if *w.err != nil {
		return
	}
	o := OpenSession(ctx, w.s, user)
	if o.LoggedIn {
		work(o)
	} else {
		*first = Step{User: user.Name, Did: "log in", Said: o.Said}
	}
	o.Close(ctx, w.s, string(w.s.Service)+"-"+user.Name)
}

func (w worker) do(ctx context.Context, o *Session, user agent.User, line string) Step {
	return Step{User: user.Name, Did: line, LoggedIn: true, Said: o.Execute(ctx, line)}
}

// stored looks at a path; that there is nothing, or no way there, is a fact and no
// error. That nobody answers is one.
func (w worker) stored(ctx context.Context, at string) Stored {
	entry, err := w.s.Client.Stat(ctx, at)
	if err != nil {
		if errors.Is(err, agent.ErrNoAnswer) && *w.err == nil {
			*w.err = err
		}
		return Stored{}
	}
	f := Stored{Exists: true, Entry: entry}
	if entry.Mode.IsRegular() {
		text, err := w.s.ReadFile(ctx, at)
		if err != nil && *w.err == nil {
			*w.err = err
		}
		f.Text = string(text)
	}
	return f
}

// share puts a set-gid directory of group qmusers in the place of a file's. It is
// on /dev/shm, the one tmpfs that every container has: not every file system that
// containers are kept on heeds the set-gid bit (fuse-overlayfs does not), and this
// is about the session, not about the storage.
func (w worker) share(ctx context.Context, dir, name string) {
	shared := path.Join("/dev/shm", name)
	w.shell(ctx, "mkdir", shared)
	w.shell(ctx, "chgrp", "qmusers", shared)
	w.shell(ctx, "chmod", "2775", shared)
	w.shell(ctx, "mv", dir, dir+".FIRST")
	w.shell(ctx, "ln", "-s", shared, dir)
}

func (w worker) shell(ctx context.Context, argv ...string) {
	if *w.err != nil {
		return
	}
	// A chgrp to a group that is missing fails, and the step after it shows that.
	_, *w.err = w.s.Command(ctx, argv...)
}
