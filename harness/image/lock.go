package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lock keeps a second process on this machine from building what we build.
// The kernel drops it with the process, however that ends. It is an economy and
// not a guard: without a writable directory, or after the limit, the caller
// goes on without it, and two builds of the same content do each other no harm.
func lock(ctx context.Context, ref string, limit time.Duration) (unlock func(), err error) {
	none := func() {}
	file, err := openLock(ref)
	if err != nil {
		return none, nil
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			// The file stays: removing it would let two processes lock two files of one name.
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return none, nil
		}
		select {
		case <-limited.Done():
			file.Close()
			return none, ctx.Err() // nil when only our own limit is over
		case <-tick.C:
		}
	}
}

func openLock(ref string) (*os.File, error) {
	name := strings.NewReplacer("/", "-", ":", "-").Replace(ref) + ".lock"
	var dirs []string
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "qmconformance"))
	}
	dirs = append(dirs, filepath.Join(os.TempDir(), "qmconformance-"+strconv.Itoa(os.Getuid())))
	var errs error
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
		if err == nil {
			return file, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, fmt.Errorf("no place for a lock: %w", errs)
}
