package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"plain ä €\tx\n":         "plain ä €\tx\n",
		"\x1b[31mred":            `\x1b[31mred`,
		"nul\x00":                `nul\x00`,
		"a\r\n":                  `a\r` + "\n",
		"\xff\xfe":               `\xff\xfe`,
		"half \xe2\x82":          `half \xe2\x82`,
		"c1 \u009b":              `c1 \u009b`,
		"right to left \u202e x": `right to left \u202e x`,
		"no xml \ufffe":          `no xml \ufffe`,
		"real \ufffd":            "real \ufffd",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFlatten(t *testing.T) {
	for in, want := range map[string]string{
		"one":                "one",
		"one\ntwo":           "one / two",
		"one\r\n\r\n  two\n": "one / two",
		"a  \t b":            "a b",
		"\n":                 "",
		"over\rwritten":      `over\rwritten`,
		"bell\a\nx":          `bell\x07 / x`,
	} {
		if got := flatten(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"ääääää", 5, "ääää…"},
		{"one, two", 6, "one…"},
		{"x", 0, "…"},
		{"", 0, ""},
	} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"one two", []string{"one two"}},
		{"one two three four", []string{"one two", "three four"}},
		{"a 0123456789abc b", []string{"a", "0123456789", "abc b"}},
	} {
		if got := wrap(c.in, 10); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFitNeverGivesMoreThanItMay(t *testing.T) {
	text := strings.Repeat("word and averyveryveryverylongword ", 20)
	for n := 1; n < 6; n++ {
		for width := 5; width < 60; width += 7 {
			lines := fit(text, width, n)
			if len(lines) > n {
				t.Errorf("%d lines, want %d", len(lines), n)
			}
			for _, line := range lines {
				if utf8.RuneCountInString(line) > width {
					t.Errorf("width %d: %q", width, line)
				}
			}
			if !strings.HasSuffix(lines[len(lines)-1], ellipsis) {
				t.Errorf("nothing tells that the text was cut: %q", lines)
			}
		}
	}
	if got := fit("it all fits", 20, 1); !slices.Equal(got, []string{"it all fits"}) {
		t.Error(got)
	}
}

func TestSeries(t *testing.T) {
	for want, in := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := series(in); got != want {
			t.Errorf("%v: %q", in, got)
		}
	}
}

func TestShownAndLineKeepTheirLength(t *testing.T) {
	for _, text := range []string{strings.Repeat("ä€\U0001F600", 5000), strings.Repeat("\x00", 5000), strings.Repeat(" \n", 50000) + "x"} {
		for _, n := range []int{0, 1, 7, 400} {
			for name, got := range map[string]string{"shown": shown(text, n), "oneLine": oneLine(text, n)} {
				if utf8.RuneCountInString(got) > max(n, 1) || strings.Contains(got, "\ufffd") || strings.Contains(got, `\xf0`) {
					t.Errorf("%s of %.10q to %d: %q", name, text, n, got)
				}
				if !strings.HasSuffix(got, ellipsis) {
					t.Errorf("%s of %.10q to %d does not tell that it was cut: %q", name, text, n, got)
				}
			}
		}
	}
	if got := shown("a\nb", 3) + oneLine("a\nb", 5); got != "a\nba / b" {
		t.Errorf("%q", got)
	}
}
