package verdict_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// FuzzKnown: a list that is accepted names a requirement, a subject, a reason and a
// link in every entry, so that none excuses everything.
func FuzzKnown(f *testing.F) {
	f.Add("- id: STDIO-01\n  services: [qmclient]\n  qm: scarletdme\n  reason: r\n  link: l\n")
	f.Add("# nothing\n")
	f.Add("- id: STDIO-01\n  services: [qmclient]\n  xinetd: '['\n")
	f.Add("- &a [*a]\n")
	catalogue, err := requirement.Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := verdict.ReadKnown(fstest.MapFS{"x.yaml": {Data: []byte(text)}}, catalogue)
		if err != nil {
			return
		}
		for _, k := range list {
			if _, ok := catalogue.Get(k.ID); !ok || len(k.Services) == 0 || k.Reason == "" || k.Link == "" || k.QM == "" && k.Xinetd == "" {
				t.Fatalf("%+v was accepted", k)
			}
		}
		list.Find("STDIO-01", requirement.QMClient, verdict.Circumstance{QMKind: "scarletdme"})
	})
}

// FuzzFromJSON: a verdict that came from another process is the same there and here.
func FuzzFromJSON(f *testing.F) {
	f.Add(`{"id":"A-01","verdict":"pass"}`)
	f.Add(`{"id":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := verdict.FromJSON(text)
		if !ok {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := verdict.FromJSON(string(again)); !ok || w != v {
			t.Fatalf("%+v became %+v", v, w)
		}
	})
}
