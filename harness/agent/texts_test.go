package agent

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// TestTextsAreThoseOfNow: whatever is done to a file, and however soon, its text is
// never that of before.
func TestTextsAreThoseOfNow(t *testing.T) {
	for name, change := range map[string]func(g Gomega, path string){
		"written in place, as long as before": func(g Gomega, path string) {
			g.Expect(os.WriteFile(path, []byte("two"), 0o600)).To(Succeed())
		},
		"and its time set back": func(g Gomega, path string) {
			info, err := os.Stat(path)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(os.WriteFile(path, []byte("two"), 0o600)).To(Succeed())
			g.Expect(os.Chtimes(path, info.ModTime(), info.ModTime())).To(Succeed())
		},
		"another in its place": func(g Gomega, path string) {
			g.Expect(os.WriteFile(path+".new", []byte("two"), 0o600)).To(Succeed())
			g.Expect(os.Rename(path+".new", path)).To(Succeed())
		},
		"a link in its place": func(g Gomega, path string) {
			g.Expect(os.WriteFile(path+".new", []byte("two"), 0o600)).To(Succeed())
			g.Expect(os.Remove(path)).To(Succeed())
			g.Expect(os.Symlink(path+".new", path)).To(Succeed())
		},
	} {
		for _, age := range []time.Duration{0, sameTick + 20*time.Millisecond} {
			t.Run(name+", read after "+age.String(), func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				path := filepath.Join(t.TempDir(), "file")
				g.Expect(os.WriteFile(path, []byte("one"), 0o600)).To(Succeed())
				time.Sleep(age)
				var texts texts
				g.Expect(texts.read(path)).To(BeEquivalentTo("one"))
				g.Expect(texts.read(path)).To(BeEquivalentTo("one"))
				change(g, path)
				g.Expect(texts.read(path)).To(BeEquivalentTo("two"))
			})
		}
	}
}

// TestTextsThatAreNotReadAgain: one that has not changed is read once, unless it was
// changed a moment before.
func TestTextsThatAreNotReadAgain(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "file")
	g.Expect(os.WriteFile(path, []byte("one"), 0o600)).To(Succeed())
	var texts texts
	_, err := texts.read(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(texts.kept).NotTo(HaveKey(path), "the next change may have the same time")
	time.Sleep(sameTick + 20*time.Millisecond)
	first, err := texts.read(path)
	g.Expect(err).NotTo(HaveOccurred())
	second, err := texts.read(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(&second[0]).To(BeIdenticalTo(&first[0]))
}

// TestTextsThatCannotBeRead, of what was a small file before.
func TestTextsThatCannotBeRead(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "file")
	g.Expect(os.WriteFile(path, []byte("one"), 0o600)).To(Succeed())
	time.Sleep(sameTick + 20*time.Millisecond)
	var texts texts
	g.Expect(texts.read(path)).To(BeEquivalentTo("one"))
	g.Expect(os.WriteFile(path, []byte(strings.Repeat("x", smallFile+1)), 0o600)).To(Succeed())
	_, err := texts.read(path)
	g.Expect(err).To(MatchError(errNotSmall))
	g.Expect(os.Remove(path)).To(Succeed())
	_, err = texts.read(path)
	g.Expect(err).To(MatchError(fs.ErrNotExist))
	g.Expect(syscall.Mkfifo(path, 0o600)).To(Succeed())
	_, err = texts.read(path)
	g.Expect(err).To(MatchError(ErrNotRegular))
}

// TestTextsThatTheKernelMakesUp have no time of a change: they are read each time.
func TestTextsThatTheKernelMakesUp(t *testing.T) {
	g := NewWithT(t)
	var texts texts
	_, err := texts.read("/proc/uptime")
	g.Expect(err).NotTo(HaveOccurred())
	time.Sleep(sameTick + 20*time.Millisecond)
	first, err := texts.read("/proc/uptime")
	g.Expect(err).NotTo(HaveOccurred())
	time.Sleep(sameTick)
	g.Expect(texts.read("/proc/uptime")).NotTo(Equal(first))
}
