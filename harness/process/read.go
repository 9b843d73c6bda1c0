package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// attempts bounds how often a process is read anew because it called execve
// meanwhile. xinetd's child calls it once in its life and a shell script's a
// few times, so a second attempt nearly always settles it; three is spare.
const attempts = 3

// Read takes a snapshot of the proc file system at root, "/proc" in real life.
// A process that ends meanwhile is left out whole. The error is for a root that
// isn't a readable proc file system; what can't be read of one process or of
// one socket table is kept as a Problem.
func Read(root string) (Snapshot, error) {
	buf := make([]byte, 0, 16<<10)
	top, err := openDir(unix.AT_FDCWD, root, &buf)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open %s: %w", root, err)
	}
	defer top.close()

	clock, err := monotonic()
	if err != nil {
		return Snapshot{}, err
	}
	snapshot := Snapshot{Taken: time.Now(), Clock: clock}
	pids, err := top.numbers()
	if err != nil {
		return Snapshot{}, fmt.Errorf("list %s: %w", root, err)
	}
	for _, pid := range pids {
		if p, alive := readProcess(top, pid); alive {
			snapshot.Processes = append(snapshot.Processes, p)
		}
	}
	if len(snapshot.Processes) == 0 {
		return Snapshot{}, fmt.Errorf("%s shows no process: it isn't a proc file system, or hides them (hidepid)", root)
	}
	// The sockets come last: a state that changes during the reading is then
	// newer than the descriptors, and a listener seen in one is in the other.
	real := top.isProc()
	for _, family := range families {
		sockets, err := readSockets(top, family, real, anyState)
		snapshot.Sockets = append(snapshot.Sockets, sockets...)
		if err != nil {
			snapshot.Problems = append(snapshot.Problems, problem("net/"+family, err))
		}
	}
	return snapshot, nil
}

func monotonic() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, fmt.Errorf("read the clock: %w", err)
	}
	return time.Duration(now.Nano()), nil
}

// readSockets asks the kernel for the sockets in one of the states, or reads the
// whole table where it won't answer: in a sandbox without netlink, and where root is
// no real proc file system.
func readSockets(top dir, family string, real bool, states uint32) ([]Socket, error) {
	if real {
		if sockets, err := diagSockets(family, states); err == nil {
			return sockets, nil
		}
	}
	content, err := top.read("net/" + family)
	if vanished(err) && family == FamilyIPv6 {
		return nil, nil // a kernel without IPv6
	}
	if err != nil {
		return nil, err
	}
	return parseSockets(string(content), family)
}

// readProcess reads one process; alive is false if it ended before the end.
func readProcess(top dir, pid int) (p Process, alive bool) {
	d, err := openDir(top.fd, strconv.Itoa(pid), top.buf)
	if err != nil {
		p = Process{PID: pid, Umask: -1}
		p.note("", err)
		return p, !vanished(err)
	}
	defer d.close()
	for range attempts {
		p = Process{PID: pid, Umask: -1}
		if err := p.readStat(d); err != nil {
			p.note("stat", err)
			return p, !vanished(err)
		}
		p.readParts(d)
		// The same start time and program on both sides of the reading: what lies
		// between belongs together. The second look also finds the process that
		// has ended, whose parts may be half empty.
		var after Process
		if err := after.readStat(d); vanished(err) {
			return Process{}, false
		}
		exe, _ := d.link("exe")
		if after.StartTime == p.StartTime && after.Comm == p.Comm && exe == p.Exe && after.dead() == p.dead() && !p.passing() {
			return p, true
		}
		p.Unsettled = true
	}
	return p, true
}

// dead says whether only the exit status is left: a zombie has no memory, no
// descriptors and no links.
func (p Process) dead() bool { return p.State == "Z" || p.State == "X" }

// passing says whether the process is on its way in or out. execve changes the
// program before it puts the arguments in place (binfmt_elf.c); since Linux
// 5.18 no program is without any. An end takes the program away first, then the
// descriptors, and only then becomes a zombie (do_exit).
func (p Process) passing() bool {
	if p.KernelThread || p.dead() {
		return false
	}
	_, hidden := p.Problem("exe")
	_, refused := p.Problem("cmdline")
	return (p.Exe == "" && !hidden) || (len(p.Args) == 0 && !refused)
}

// readParts reads everything but stat.
func (p *Process) readParts(d dir) {
	if content, ok := p.part(d, "status"); ok {
		p.note("status", p.parseStatus(string(content)))
	}
	if content, ok := p.part(d, "oom_score_adj"); ok {
		_, err := fmt.Sscan(string(content), &p.OOMScoreAdj)
		p.note("oom_score_adj", err)
	}
	if content, ok := p.part(d, "limits"); ok {
		limits, err := parseLimits(string(content))
		p.Limits = limits
		p.note("limits", err)
	}
	if p.dead() {
		return
	}
	if content, ok := p.part(d, "cmdline"); ok {
		p.Args = splitNUL(string(content))
	}
	if content, ok := p.part(d, "environ"); ok {
		p.Env = splitNUL(string(content))
	}
	p.Exe = p.linkPart(d, "exe")
	p.Cwd = p.linkPart(d, "cwd")
	p.Root = p.linkPart(d, "root")
	p.readFDs(d)
}

func (p *Process) part(d dir, name string) ([]byte, bool) {
	content, err := d.read(name)
	p.note(name, err)
	return content, err == nil
}

// linkPart tolerates a link that isn't there: kernel threads have no exe.
func (p *Process) linkPart(d dir, name string) string {
	target, err := d.link(name)
	if !vanished(err) {
		p.note(name, err)
	}
	return target
}

func (p *Process) note(part string, err error) {
	if err != nil {
		p.Problems = append(p.Problems, problem(part, err))
	}
}

func problem(part string, err error) Problem {
	var errno unix.Errno
	errors.As(err, &errno)
	return Problem{Part: part, Errno: int(errno), Text: err.Error()}
}

// readFDs lists the descriptors. One that is closed between the listing and
// the link is simply not open.
func (p *Process) readFDs(d dir) {
	links, err := openDir(d.fd, "fd", d.buf)
	if err != nil {
		p.note("fd", err)
		return
	}
	defer links.close()
	numbers, err := links.numbers()
	p.note("fd", err)
	if len(numbers) == 0 {
		return
	}
	infos, infoErr := openDir(d.fd, "fdinfo", d.buf)
	if infoErr == nil {
		defer infos.close()
	} else {
		p.note("fdinfo", infoErr)
	}
	for _, number := range numbers {
		name := strconv.Itoa(number)
		target, err := links.link(name)
		if vanished(err) {
			continue
		}
		if err != nil {
			p.note("fd/"+name, err)
			continue
		}
		fd := FD{Number: number, Target: target, Flags: -1, Kind: kindOf(target), Inode: inodeOf(target)}
		if infoErr == nil {
			if content, err := infos.read(name); err == nil {
				fd.parseInfo(string(content))
			} else if !vanished(err) {
				p.note("fdinfo/"+name, err)
			}
		}
		p.FDs = append(p.FDs, fd)
	}
}

// splitNUL splits cmdline or environ, each string of which ends in a NUL. A
// process that has written over them may leave anything, kept as it is.
func splitNUL(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
}
