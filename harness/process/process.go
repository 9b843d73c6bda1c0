// Package process reads what the kernel says about processes and their TCP
// sockets from a proc(5) file system, and answers who serves a connection.
//
// It runs inside the target as well as outside, so it needs nothing but
// golang.org/x/sys/unix, and every type crosses net/rpc as it is: exported
// fields, no pointers, no functions.
package process

import (
	"slices"
	"strings"
)

// Process is one process as it stood between two equal readings of its
// start time, name and program: never a mixture of two programs, unless
// Unsettled says that it kept changing.
type Process struct {
	PID     int
	PPID    int
	PGRP    int
	Session int
	// TTY is tty_nr of proc_pid_stat(5): 0 means no controlling terminal.
	TTY   int
	State string
	// StartTime is in clock ticks since boot; with PID it names a process for
	// ever, where a PID alone is used again.
	StartTime uint64
	// Comm is the kernel's name, 15 bytes at most.
	Comm string
	// KernelThread: there is no program, and no arguments.
	KernelThread bool
	// Exe, Cwd and Root are link targets, empty where the link can't be read
	// (see Problems) or there is none, as for a zombie.
	Exe  string
	Cwd  string
	Root string
	Args []string
	Env  []string
	// UIDs and GIDs are real, effective, saved and file system ID.
	UIDs   [4]int
	GIDs   [4]int
	Groups []int
	// Umask is -1 where the kernel doesn't tell (a zombie, or Linux before 4.7).
	Umask int

	// SigPnd joins the signals pending for the thread and for the process.
	SigPnd SignalSet
	SigBlk SignalSet
	SigIgn SignalSet
	SigCgt SignalSet

	CapEff     uint64
	NoNewPrivs bool
	// Seccomp is 0 off, 1 strict, 2 filter.
	Seccomp     int
	Nice        int
	OOMScoreAdj int
	Limits      []Limit
	// FDs are in ascending order of number.
	FDs []FD
	// RSS is in bytes, CPUTicks is user and system time in clock ticks.
	RSS      uint64
	CPUTicks uint64
	Threads  int

	// Problems are the parts that could not be read. A part that is refused is
	// a fact about the process (or about our rights), not an empty part.
	Problems []Problem
	// Unsettled: the process was in the middle of execve or of its end at each of
	// our attempts; its parts may belong to two programs, or be missing.
	Unsettled bool
}

// FD is one open descriptor.
type FD struct {
	Number int
	// Target is the link as the kernel writes it: "socket:[4711]", "/dev/null".
	Target string
	// Flags are the open flags and status flags of fdinfo (octal there), with
	// O_CLOEXEC among them; -1 where fdinfo could not be read.
	Flags int
	// Inode is 0 where neither the link nor fdinfo tells it.
	Inode uint64
	// Kind is one of the Kind constants.
	Kind string
}

// Kinds of descriptor, told from the link's text alone.
const (
	KindSocket = "socket"
	KindPipe   = "pipe"
	KindAnon   = "anon"
	KindDevice = "device"
	KindFile   = "file"
	KindOther  = "other"
)

// Limit is one line of proc_pid_limits(5).
type Limit struct {
	// Name is the kernel's: see the Limit constants.
	Name string
	// Soft and Hard are Unlimited or the value in the kernel's unit for it.
	Soft int64
	Hard int64
}

// Unlimited is the value of a limit that isn't set.
const Unlimited int64 = -1

// Names of the limits that matter to a session.
const (
	LimitCPUTime      = "Max cpu time"
	LimitFileSize     = "Max file size"
	LimitDataSize     = "Max data size"
	LimitStackSize    = "Max stack size"
	LimitCoreSize     = "Max core file size"
	LimitResident     = "Max resident set"
	LimitProcesses    = "Max processes"
	LimitOpenFiles    = "Max open files"
	LimitLockedMemory = "Max locked memory"
	LimitAddressSpace = "Max address space"
)

// Problem is one part of a process that could not be read, and why.
type Problem struct {
	// Part is the file below /proc/PID.
	Part string
	// Errno is the kernel's number, 0 where the content was not understood.
	Errno int
	Text  string
}

// FD returns the descriptor of that number.
func (p Process) FD(number int) (FD, bool) {
	i, found := slices.BinarySearchFunc(p.FDs, number, func(fd FD, n int) int { return fd.Number - n })
	if !found {
		return FD{}, false
	}
	return p.FDs[i], true
}

// Holds says whether any descriptor is the socket or pipe of that inode.
func (p Process) Holds(inode uint64) bool {
	return inode != 0 && slices.ContainsFunc(p.FDs, func(fd FD) bool {
		return fd.Inode == inode && (fd.Kind == KindSocket || fd.Kind == KindPipe)
	})
}

// Limit returns the limit of that name.
func (p Process) Limit(name string) (Limit, bool) {
	for _, l := range p.Limits {
		if l.Name == name {
			return l, true
		}
	}
	return Limit{}, false
}

// Getenv returns the first value of a variable, as getenv(3) would.
func (p Process) Getenv(name string) (string, bool) {
	for _, pair := range p.Env {
		if key, value, ok := strings.Cut(pair, "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}

// Problem returns the problem with one part, so that a caller can tell an
// empty part from a refused one.
func (p Process) Problem(part string) (Problem, bool) {
	for _, problem := range p.Problems {
		if problem.Part == part {
			return problem, true
		}
	}
	return Problem{}, false
}
