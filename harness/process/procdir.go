package process

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// dir is an open directory of proc. An open /proc/PID stays that process's
// own: once it has gone, every access fails with ESRCH or ENOENT, also when its
// PID has been given to another. Reading through it can't mix two processes.
type dir struct {
	fd  int
	buf *[]byte
}

func openDir(at int, path string, buf *[]byte) (dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	return dir{fd, buf}, err
}

func (d dir) close() { unix.Close(d.fd) }

// isProc tells the kernel's proc file system from a tree of ordinary files.
func (d dir) isProc() bool {
	var stat unix.Statfs_t
	_, err := retry(func() (int, error) { return 0, unix.Fstatfs(d.fd, &stat) })
	return err == nil && stat.Type == unix.PROC_SUPER_MAGIC
}

// read returns a file's content, which is only valid until the next read.
func (d dir) read(name string) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	content := (*d.buf)[:0]
	for {
		if len(content) == cap(content) {
			content = slices.Grow(content, cap(content))
			*d.buf = content
		}
		n, err := retry(func() (int, error) { return unix.Read(fd, content[len(content):cap(content)]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return content, nil
		}
		content = content[:len(content)+n]
	}
}

// link returns the target of a symbolic link.
func (d dir) link(name string) (string, error) {
	var target [unix.PathMax]byte
	n, err := retry(func() (int, error) { return unix.Readlinkat(d.fd, name, target[:]) })
	if err != nil {
		return "", err
	}
	return string(target[:n]), nil
}

// numbers lists the entries whose names are decimal numbers, ascending: the
// PIDs of /proc, the descriptors of /proc/PID/fd.
func (d dir) numbers() ([]int, error) {
	var (
		list  []int
		names []string
		buf   [8192]byte
	)
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(d.fd, buf[:]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			slices.Sort(list)
			return list, nil
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			if number, ok := decimal(name); ok {
				list = append(list, number)
			}
		}
	}
}

func decimal(text string) (int, bool) {
	if text == "" || len(text) > 9 {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int(text[i]-'0')
	}
	return n, true
}

// retry repeats a call that a signal interrupted: the Go runtime preempts its
// threads by signals, so EINTR is ordinary. It can't go on for ever, because
// each turn needs a new signal.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// vanished tells an entry that has gone from one that may not be read.
func vanished(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH)
}
