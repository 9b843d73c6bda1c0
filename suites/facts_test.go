package suites

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"qmconformance/harness/evidence"
	"qmconformance/harness/judge"
	"qmconformance/harness/observation"
	"qmconformance/harness/requirement"
	"qmconformance/harness/verdict"
)

// Facts that do not survive the way through a file would be judged otherwise on
// another machine: whatever a look may report must come back as it was.
func TestTheFactsOfEveryLookSurviveARecord(t *testing.T) {
	tried := map[string]bool{}
	for id, spec := range judge.Registered() {
		look := spec.Plan.Name
		if tried[look] {
			continue
		}
		tried[look] = true
		t.Run(look, func(t *testing.T) {
			g := NewWithT(t)
			for name, give := range map[string]func(*filler, reflect.Value){
				"everything": (*filler).fill,
				"nothing":    func(*filler, reflect.Value) {},
			} {
				blank := spec.Plan.Blank()
				f := &filler{t: t}
				give(f, reflect.ValueOf(blank).Elem())
				facts := reflect.ValueOf(blank).Elem().Interface()
				rec := observation.Observation{Look: look, Verdict: verdict.Verdict{ID: id, Service: requirement.Host, Kind: verdict.Fail}}
				g.Expect(rec.Keep(facts)).To(Succeed())
				dir := t.TempDir()
				g.Expect(evidence.Write(dir, "f", &evidence.Bundle{}, rec, "")).To(Succeed())
				again, err := observation.Load(filepath.Join(dir, "f", evidence.Observation))
				g.Expect(err).NotTo(HaveOccurred(), name)
				got, err := again.Read(spec.Plan.Blank())
				g.Expect(err).NotTo(HaveOccurred(), name)
				g.Expect(got).To(Equal(facts), name)
			}
		})
	}
	NewWithT(t).Expect(len(tried)).To(BeNumerically(">", 20))
}

// filler gives every part of a value a content, each another one.
type filler struct {
	t *testing.T
	n int
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, f.n, time.UTC)))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.MustParseAddr("2001:db8::1")))
		return
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.MustParseAddrPort("192.0.2.1:4242")))
		return
	}
	switch v.Kind() {
	case reflect.String:
		// Bytes that are no text, and what those are recorded as.
		v.SetString(fmt.Sprintf("%d \xff\xfe<\u00e9>\u0000\ufffd\U0010FFFE\"", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-f.n % 100))
		if v.Kind() == reflect.Int64 {
			v.SetInt(1<<62 + int64(f.n))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n % 200))
		if v.Kind() == reflect.Uint64 {
			v.SetUint(1<<63 + uint64(f.n))
		}
	case reflect.Float64:
		v.SetFloat(float64(f.n) / 3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); !field.IsExported() {
				f.t.Errorf("%v.%s is not exported: a record would lose it", v.Type(), field.Name)
				continue
			}
			f.fill(v.Field(i))
		}
	default:
		f.t.Errorf("facts hold a %v, which cannot be read back", v.Type())
	}
}
