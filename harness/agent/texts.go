package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// ErrNotRegular says that a device, a pipe or a directory is in a file's place.
var ErrNotRegular = errors.New("no regular file")

// openRegular opens a regular file for reading. It is not kept waiting by a pipe that
// a package has put in a file's place.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s (%s): %w", path, info.Mode().Type(), ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

const (
	// smallFile is the size up to which files are read along with their directory.
	smallFile = 64 << 10
	// sameTick is how long ago a file must have been changed for its time to tell of
	// the next change: within one tick of the kernel's clock, 10 ms where that is
	// slowest (CONFIG_HZ=100), two changes have one time.
	sameTick = 100 * time.Millisecond
)

// errNotSmall says that a file has grown beyond what is read along.
var errNotSmall = errors.New("not a small file any more")

// texts are small files as they were when they were last read. A configuration is read
// some hundred times in a run, and each reading of each file is four requests to a file
// system in user space, where a container is on one; whether it has changed costs none.
type texts struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	version version
	text    []byte
}

// version is what no change of a file leaves as it was: what is renamed into its place
// has another inode, and the time of a change cannot be set (stat(2), st_ctime).
type version struct {
	device, inode uint64
	size          int64
	changed       syscall.Timespec
}

func versionOf(info fs.FileInfo) (v version, changed time.Time) {
	st := info.Sys().(*syscall.Stat_t)
	return version{st.Dev, st.Ino, st.Size, st.Ctim}, time.Unix(st.Ctim.Unix())
}

// read returns a file's text as it is now. The caller must not change it.
func (t *texts) read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	k, found := t.kept[path]
	t.mu.Unlock()
	if v, _ := versionOf(info); found && v == k.version {
		return k.text, nil
	}
	began := time.Now()
	f, info, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, smallFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > smallFile {
		return nil, errNotSmall
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// One that has just been changed may be changed again without a trace, and what the
	// kernel makes up when it is read, as in /proc, changes without any: its size is none.
	v, changed := versionOf(info)
	if age := began.Sub(changed); age < sameTick || v.size == 0 || v.size != int64(len(text)) {
		delete(t.kept, path)
		return text, nil
	}
	if t.kept == nil {
		t.kept = map[string]kept{}
	}
	t.kept[path] = kept{v, text}
	return text, nil
}
