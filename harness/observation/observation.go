// Package observation keeps what a verdict rests on as one file, so that it can be
// judged again on another machine, without Docker, and by rules that have changed
// since: the typed facts of a look, and the circumstances that count beside them.
package observation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"

	"qmconformance/harness/report"
	"qmconformance/harness/verdict"
)

// Format is the version of the file. It changes when a field changes its meaning.
// What a look's facts consist of is no part of it: see Read.
const Format = 1

// Observation is the file.
type Observation struct {
	Format int `json:"format"`
	// Catalogue is the version of the requirements that it was judged by.
	Catalogue string         `json:"catalogue"`
	Subject   report.Subject `json:"subject"`
	// Circumstance is what the known-failing lists were asked about.
	Circumstance verdict.Circumstance `json:"circumstance"`
	// Look is the name of the look that the facts are of.
	Look string `json:"look"`
	// Verdict is what was said of them.
	Verdict verdict.Verdict `json:"verdict"`
	// Unobserved says why the look came to no end; empty where it did. What there
	// is of its facts is shown, and is nothing to judge by.
	Unobserved string          `json:"unobserved"`
	Facts      json.RawMessage `json:"facts"`
}

// Keep puts the facts of a look into the record.
func (r *Observation) Keep(facts any) error {
	text, err := json.Marshal(rewritten(facts, toValid))
	if err != nil {
		return fmt.Errorf("record the facts of %s: %w", r.Look, err)
	}
	r.Format, r.Facts = Format, text
	return nil
}

// Load reads a file. Its errors are one line, and say what is wrong with the file.
func Load(path string) (Observation, error) {
	var r Observation
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	// The format first: of a file of another one nothing else can be said.
	var of struct{ Format *int }
	switch err := json.Unmarshal(text, &of); {
	case err != nil:
		return r, fmt.Errorf("it is no record: %w", err)
	case of.Format == nil:
		return r, errors.New("it is no record, or one from before records had a format: judge its package again")
	case *of.Format != Format:
		return r, fmt.Errorf("it is a record of format %d, and this program reads format %d: take the program that wrote it", *of.Format, Format)
	}
	if err := strictly(text, &r); err != nil {
		return r, fmt.Errorf("it is a damaged record: %w", err)
	}
	if r.Look == "" || r.Verdict.ID == "" || r.Verdict.Service == "" || r.Verdict.Kind == "" {
		return r, errors.New("it is a damaged record: it does not say what was judged by which look")
	}
	return r, nil
}

// Read reads the facts into a blank value, which is a pointer, and returns what it
// points to. Facts that another version of the look took are refused: one that is
// missing would read like one that was not there, and be judged so.
func (r Observation) Read(blank any) (any, error) {
	if err := strictly(r.Facts, blank); err != nil {
		return nil, fmt.Errorf("the look %q of this program reports other facts than were recorded: %w", r.Look, err)
	}
	again, err := json.Marshal(blank)
	if err != nil {
		return nil, fmt.Errorf("read the facts of %s: %w", r.Look, err)
	}
	if at := difference(r.Facts, again); at != "" {
		return nil, fmt.Errorf("the look %q of this program reports other facts than were recorded: they differ in %s", r.Look, at)
	}
	return rewritten(reflect.ValueOf(blank).Elem().Interface(), fromValid), nil
}

func strictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("something follows its end")
	}
	return nil
}

// difference is the path of the first difference between two JSON texts, empty
// where there is none.
func difference(a, b []byte) string {
	var one, other any
	for _, side := range []struct {
		text []byte
		into *any
	}{{a, &one}, {b, &other}} {
		dec := json.NewDecoder(bytes.NewReader(side.text))
		// Not as float64, in which large inode numbers would be equal.
		dec.UseNumber()
		if err := dec.Decode(side.into); err != nil {
			return err.Error()
		}
	}
	return differ("facts", one, other)
}

func differ(path string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return path
		}
		keys := map[string]bool{}
		for k := range x {
			keys[k] = true
		}
		for k := range y {
			keys[k] = true
		}
		for _, k := range sorted(keys) {
			v, in := x[k]
			w, out := y[k]
			if in != out {
				return path + "." + k
			}
			if d := differ(path+"."+k, v, w); d != "" {
				return d
			}
		}
		return ""
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return path
		}
		for i := range x {
			if d := differ(fmt.Sprintf("%s[%d]", path, i), x[i], y[i]); d != "" {
				return d
			}
		}
		return ""
	}
	if a != b {
		return path
	}
	return ""
}

func sorted(set map[string]bool) []string {
	var list []string
	for k := range set {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
