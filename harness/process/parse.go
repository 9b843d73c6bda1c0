package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

var pageSize = uint64(os.Getpagesize())

// readStat reads what proc_pid_stat(5) holds.
func (p *Process) readStat(d dir) error {
	content, err := d.read("stat")
	if err != nil {
		return err
	}
	return p.parseStat(string(content))
}

// kernelThread is PF_KTHREAD of linux/sched.h.
const kernelThread = 0x00200000

// parseStat takes the name between the first "(" and the last ")": it may hold
// blanks and parentheses, as the "(xinetd service)" title of xinetd's own
// children shows.
func (p *Process) parseStat(text string) error {
	open, closing := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || closing < open {
		return fmt.Errorf("stat without a name: %.80q", text)
	}
	p.Comm = text[open+1 : closing]
	// Fields are counted from 3 (state) as in the manual page.
	fields := strings.Fields(text[closing+1:])
	const first, last = 3, 24
	if len(fields) < last-first+1 {
		return fmt.Errorf("stat with %d fields after the name", len(fields))
	}
	field := func(n int) string { return fields[n-first] }
	p.State = field(3)
	var numbers numberReader
	p.PPID = int(numbers.signed(field(4)))
	p.PGRP = int(numbers.signed(field(5)))
	p.Session = int(numbers.signed(field(6)))
	p.TTY = int(numbers.signed(field(7)))
	p.KernelThread = numbers.signed(field(9))&kernelThread != 0
	p.CPUTicks = uint64(numbers.signed(field(14)) + numbers.signed(field(15)))
	p.Nice = int(numbers.signed(field(19)))
	p.Threads = int(numbers.signed(field(20)))
	p.StartTime = uint64(numbers.signed(field(22)))
	p.RSS = uint64(numbers.signed(field(24))) * pageSize
	return numbers.err
}

// parseStatus takes the lines of proc_pid_status(5) that stat doesn't have.
func (p *Process) parseStatus(text string) error {
	var numbers numberReader
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key {
		case "Umask":
			p.Umask = int(numbers.base(value, 8))
		case "Uid":
			numbers.four(value, &p.UIDs)
		case "Gid":
			numbers.four(value, &p.GIDs)
		case "Groups":
			for _, group := range strings.Fields(value) {
				p.Groups = append(p.Groups, int(numbers.signed(group)))
			}
		case "SigPnd", "ShdPnd":
			p.SigPnd |= SignalSet(numbers.base(value, 16))
		case "SigBlk":
			p.SigBlk = SignalSet(numbers.base(value, 16))
		case "SigIgn":
			p.SigIgn = SignalSet(numbers.base(value, 16))
		case "SigCgt":
			p.SigCgt = SignalSet(numbers.base(value, 16))
		case "CapEff":
			p.CapEff = numbers.base(value, 16)
		case "NoNewPrivs":
			p.NoNewPrivs = value == "1"
		case "Seccomp":
			p.Seccomp = int(numbers.signed(value))
		}
	}
	return numbers.err
}

// parseLimits reads a table whose first column holds blanks: its width, 25, is
// fixed in the kernel (fs/proc/base.c, proc_pid_limits).
func parseLimits(text string) ([]Limit, error) {
	const nameWidth = 25
	var (
		limits  []Limit
		numbers numberReader
	)
	for line := range strings.Lines(text) {
		if len(line) <= nameWidth || strings.HasPrefix(line, "Limit ") {
			continue
		}
		fields := strings.Fields(line[nameWidth:])
		if len(fields) < 2 {
			return limits, fmt.Errorf("limits: line not understood: %.80q", line)
		}
		limits = append(limits, Limit{
			Name: strings.TrimSpace(line[:nameWidth]),
			Soft: numbers.limit(fields[0]),
			Hard: numbers.limit(fields[1]),
		})
	}
	return limits, numbers.err
}

// parseInfo reads proc_pid_fdinfo(5). The ino line exists since Linux 5.14.
func (fd *FD) parseInfo(text string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "flags":
			if flags, err := strconv.ParseInt(value, 8, 64); err == nil {
				fd.Flags = int(flags)
			}
		case "ino":
			if inode, err := strconv.ParseUint(value, 10, 64); err == nil && fd.Inode == 0 {
				fd.Inode = inode
			}
		}
	}
}

func kindOf(target string) string {
	switch {
	case strings.HasPrefix(target, "socket:["):
		return KindSocket
	case strings.HasPrefix(target, "pipe:["):
		return KindPipe
	case strings.HasPrefix(target, "anon_inode:"):
		return KindAnon
	case strings.HasPrefix(target, "/dev/"):
		return KindDevice
	case strings.HasPrefix(target, "/"):
		return KindFile
	}
	return KindOther
}

// inodeOf takes the number from "socket:[4711]", else 0.
func inodeOf(target string) uint64 {
	_, rest, found := strings.Cut(target, ":[")
	number, closed := strings.CutSuffix(rest, "]")
	if !found || !closed || strings.HasPrefix(target, "/") {
		return 0
	}
	inode, _ := strconv.ParseUint(number, 10, 64)
	return inode
}

// numberReader reads many numbers and remembers the first that is none.
type numberReader struct{ err error }

func (n *numberReader) keep(err error) {
	if n.err == nil && err != nil {
		n.err = err
	}
}

func (n *numberReader) signed(text string) int64 {
	// start time and addresses are unsigned in the kernel, but stay below 2^63
	value, err := strconv.ParseInt(text, 10, 64)
	n.keep(err)
	return value
}

func (n *numberReader) base(text string, base int) uint64 {
	value, err := strconv.ParseUint(text, base, 64)
	n.keep(err)
	return value
}

func (n *numberReader) limit(text string) int64 {
	if text == "unlimited" {
		return Unlimited
	}
	value, err := strconv.ParseUint(text, 10, 64)
	n.keep(err)
	// A limit of 2^63 or more is one in name only, but must not look like -1.
	return int64(min(value, 1<<63-1))
}

func (n *numberReader) four(text string, ids *[4]int) {
	fields := strings.Fields(text)
	if len(fields) != len(ids) {
		n.keep(fmt.Errorf("%d IDs instead of 4: %q", len(fields), text))
		return
	}
	for i, field := range fields {
		ids[i] = int(n.signed(field))
	}
}
