package fault

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes files of a map; a name that ends in a slash is a directory.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func reference(t *testing.T) string {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"etc/a": "umask\t\t= 002\nuser = root\n", "etc/b": "umask = 002\n", "setup.sh": "set -e\n",
	})
	if err := os.Symlink("a", filepath.Join(dir, "etc", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "etc", "b"), 0o750); err != nil {
		t.Fatal(err)
	}
	return dir
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCompose(t *testing.T) {
	from, own := reference(t), t.TempDir()
	write(t, own, map[string]string{"overlay/etc/new": "n", "overlay/etc/b": "laid over"})
	out := filepath.Join(t.TempDir(), "package")
	f := Fault{Dir: own, Recipe: Recipe{
		Edit:   []Edit{{File: "etc/[ab]", From: "umask = 002", To: "umask = 022"}, {File: "etc/a", From: "022\nuser", To: "0\nowner"}},
		Remove: []string{"etc/link"},
		After:  "false\n",
		Start:  "true\n",
	}}
	if err := Compose(from, f, out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"etc/a": "umask = 0\nowner = root\n", "etc/b": "laid over", "etc/new": "n", "setup.sh": "set -e\n\nfalse\n", "start.sh": "true\n",
	} {
		if got := text(t, filepath.Join(out, name)); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(out, "etc/link")); err == nil {
		t.Error("the removed link is there")
	}
	if got := text(t, filepath.Join(from, "etc/a")); !strings.Contains(got, "002") {
		t.Error("the reference package was changed")
	}
}

func TestComposeKeepsModesAndLinks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "package")
	if err := Compose(reference(t), Fault{Dir: t.TempDir(), Recipe: Recipe{After: "true\n"}}, out); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(out, "etc/link")); err != nil || target != "a" {
		t.Errorf("link to %q, %v", target, err)
	}
	if info, err := os.Stat(filepath.Join(out, "etc/b")); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestComposeRefusesWhatDoesNotFit(t *testing.T) {
	for name, r := range map[string]Recipe{
		"text is not there":  {Edit: []Edit{{File: "etc/a", From: "nice = 5", To: ""}}},
		"text in one of two": {Edit: []Edit{{File: "etc/[ab]", From: "user = root", To: ""}}},
		"text twice":         {Edit: []Edit{{File: "etc/a", From: " = ", To: ""}}},
		"no such file":       {Edit: []Edit{{File: "etc/c", From: "x", To: ""}}},
		"nothing to remove":  {Remove: []string{"etc/c"}},
	} {
		if err := Compose(reference(t), Fault{Dir: t.TempDir(), Recipe: r}, filepath.Join(t.TempDir(), "p")); err == nil {
			t.Errorf("%s: composed", name)
		}
	}
}
