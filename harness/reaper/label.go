package reaper

import (
	"crypto/rand"
	"encoding/hex"
	"maps"

	"qmconformance/harness/box"
)

// Label names. Every container, network and image that a run creates carries
// all of [Session.Labels]; cached images carry [LabelOurs] alone, because they
// outlive their run on purpose.
const (
	// LabelOurs marks everything this project ever creates; its value is [Ours].
	LabelOurs = "qmconformance.dev"
	// LabelSession holds the ID of the run that created the object.
	LabelSession = "qmconformance.dev.session"
	// LabelOwner holds the process that ran it, "<boot ID>:<pid>:<start time>".
	LabelOwner = "qmconformance.dev.owner"
	// LabelPlace holds where that pid means something, "<machine>/<pid namespace>".
	LabelPlace = "qmconformance.dev.place"

	// LabelBox holds the ID of the container that the run is in, where it is in one
	// of this daemon's.
	LabelBox = "qmconformance.dev.box"

	// Ours is the value of [LabelOurs].
	Ours = "1"
)

// Session names one run and the process that answers for what it creates.
type Session struct {
	ID    string
	Owner Owner
	// Box is the container that the run is in; nil for none.
	Box *box.Box
}

// NewSession returns a session with a random ID, owned by this process.
// It fails only where /proc does not describe this process.
func NewSession() (Session, error) {
	owner, err := currentOwner(procRoot, machineIDFile)
	if err != nil {
		return Session{}, err
	}
	// 64 random bits: two runs on one daemon never share an ID, and the label
	// still fits on a line of `docker ps`.
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return Session{}, err
	}
	return Session{ID: hex.EncodeToString(id), Owner: owner}, nil
}

// Labels returns a fresh map with all labels of an object that must not
// outlive the session.
func (s Session) Labels() map[string]string {
	labels := map[string]string{
		LabelOurs:    Ours,
		LabelSession: s.ID,
		LabelOwner:   s.Owner.String(),
		LabelPlace:   s.Owner.place(),
	}
	if s.Box != nil {
		labels[LabelBox] = s.Box.ID
	}
	return labels
}

// With returns the session's labels and extra; the session's own win, so that
// no caller can take an object out of the reaper's sight by accident.
func (s Session) With(extra map[string]string) map[string]string {
	all := maps.Clone(extra)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.Labels())
	return all
}
