package reaper

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	procRoot      = "/proc"
	machineIDFile = "/etc/machine-id"
	// initialPIDNamespace is the inode number of the first PID namespace,
	// fixed by the kernel (PROC_PID_INIT_INO in include/linux/proc_ns.h). From
	// there every process of the machine is visible.
	initialPIDNamespace = "4026531836"
)

// Owner is a process that can be told from every other process: of another
// boot, of another PID namespace, or one that was given the same pid later.
type Owner struct {
	BootID    string // /proc/sys/kernel/random/boot_id
	PID       int    // as the owner itself saw it
	StartTime uint64 // clock ticks since boot, field 22 of /proc/PID/stat, proc(5)
	Machine   string // keyed hash of the machine ID, empty if unknown
	Namespace string // inode of the owner's PID namespace, empty if unknown
}

// verdict on an owner. Only gone permits a removal.
type life int

const (
	unknown life = iota
	alive
	gone
)

func (o Owner) String() string {
	return fmt.Sprintf("%s:%d:%d", o.BootID, o.PID, o.StartTime)
}

func (o Owner) place() string { return o.Machine + "/" + o.Namespace }

// parseOwner reads the two labels back. The place may be missing: it then
// counts as unknown, which never makes an owner look deader than it is.
func parseOwner(owner, place string) (Owner, error) {
	part := strings.Split(owner, ":")
	if len(part) != 3 || part[0] == "" {
		return Owner{}, fmt.Errorf("owner %q is not <boot ID>:<pid>:<start time>", owner)
	}
	pid, err := strconv.Atoi(part[1])
	if err != nil || pid <= 0 {
		return Owner{}, fmt.Errorf("owner %q: bad pid", owner)
	}
	start, err := strconv.ParseUint(part[2], 10, 64)
	if err != nil {
		return Owner{}, fmt.Errorf("owner %q: bad start time", owner)
	}
	machine, namespace, _ := strings.Cut(place, "/")
	return Owner{BootID: part[0], PID: pid, StartTime: start, Machine: machine, Namespace: namespace}, nil
}

func currentOwner(proc, machineID string) (Owner, error) {
	boot, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	if err != nil {
		return Owner{}, fmt.Errorf("identify this boot: %w", err)
	}
	// "self" and not os.Getpid: both agree unless proc belongs to another
	// namespace, and then the number in proc is the one that others can look up.
	pid, start, _, err := readStat(filepath.Join(proc, "self"))
	if err != nil {
		return Owner{}, fmt.Errorf("identify this process: %w", err)
	}
	return Owner{
		BootID: strings.TrimSpace(string(boot)), PID: pid, StartTime: start,
		Machine: machineHash(machineID), Namespace: pidNamespace(proc),
	}, nil
}

// judge says whether the owner still runs, as seen by self.
//
// Same boot, same PID namespace: exact. Same boot, another namespace (a run
// inside a container that was given the daemon's socket): found by its innermost
// pid and start time among all visible processes; not found counts as gone
// only where all processes are visible, in the initial namespace.
// Another boot: gone if it was this machine, or if the daemon is reached
// through a local socket, because such a daemon serves this machine only;
// a remote daemon may have live clients on machines that we cannot see.
func judge(proc string, o, self Owner, localDaemon bool) life {
	if o.BootID != self.BootID {
		sameMachine := o.Machine != "" && o.Machine == self.Machine
		if sameMachine || localDaemon && (o.Machine == "" || self.Machine == "") {
			return gone
		}
		return unknown
	}
	if o.Namespace == "" || o.Namespace == self.Namespace {
		_, start, state, err := readStat(filepath.Join(proc, strconv.Itoa(o.PID)))
		switch {
		case errors.Is(err, fs.ErrNotExist) && !seesOthers(proc):
			return unknown
		case errors.Is(err, fs.ErrNotExist):
			return gone
		case err != nil:
			return unknown
		case start != o.StartTime || state == 'Z' || state == 'X':
			return gone
		}
		return alive
	}
	if findInner(proc, o) {
		return alive
	}
	if self.Namespace == initialPIDNamespace && seesOthers(proc) {
		return gone
	}
	return unknown
}

// seesOthers is false under the hidepid option of proc(5), where a missing
// entry proves nothing.
func seesOthers(proc string) bool {
	_, err := os.Stat(filepath.Join(proc, "1"))
	return err == nil
}

// findInner looks for a process that calls itself o.PID in its own namespace.
func findInner(proc string, o Owner) bool {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		dir := filepath.Join(proc, e.Name())
		_, start, state, err := readStat(dir)
		if err != nil || start != o.StartTime || state == 'Z' || state == 'X' {
			continue
		}
		if innerPID(dir) == o.PID {
			return true
		}
	}
	return false
}

// innerPID returns the last number of the NSpid line of proc(5), 0 if there is none.
func innerPID(dir string) int {
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "NSpid:"); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				pid, _ := strconv.Atoi(f[len(f)-1])
				return pid
			}
		}
	}
	return 0
}

// readStat reads pid, start time and state of a process. The command name in
// parentheses may hold blanks and parentheses itself, so fields count from the last one.
func readStat(dir string) (pid int, start uint64, state byte, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0, 0, 0, err
	}
	text := string(raw)
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return 0, 0, 0, fmt.Errorf("%s/stat: no command name", dir)
	}
	f := strings.Fields(text[end+1:])
	const startField = 22 - 3 // the first field behind the name is number 3
	if len(f) <= startField {
		return 0, 0, 0, fmt.Errorf("%s/stat: only %d fields", dir, len(f)+2)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(text[:open])); err != nil {
		return 0, 0, 0, fmt.Errorf("%s/stat: %w", dir, err)
	}
	if start, err = strconv.ParseUint(f[startField], 10, 64); err != nil {
		return 0, 0, 0, fmt.Errorf("%s/stat: %w", dir, err)
	}
	return pid, start, f[0][0], nil
}

// machineHash keys the machine ID with our name: machine-id(5) asks that the
// ID itself never leaves the machine, and labels are visible to others.
func machineHash(file string) string {
	id, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(id)) == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(strings.TrimSpace(string(id))))
	mac.Write([]byte(LabelOurs))
	return hex.EncodeToString(mac.Sum(nil))[:12]
}

func pidNamespace(proc string) string {
	link, err := os.Readlink(filepath.Join(proc, "self/ns/pid"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(link, "pid:["), "]")
}
