package yardstick

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// floor is the least that a server can do for a connection: the cost of the
// kernel's own part, and of the client.
func floor(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want PORT")
	}
	fd, err := listen(args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	greeting := []byte{FloorByte}
	for {
		conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		if err == unix.EINTR || err == unix.ECONNABORTED {
			continue
		}
		if err != nil {
			return err
		}
		_, _ = unix.Write(conn, greeting)
		_ = unix.Close(conn)
	}
}

// listenerFD is where a worker of the ideal server finds the listening socket.
const listenerFD = 3

// ideal starts one worker for each processor, on one listening socket: a fork
// that waits for its exec must not hold up another connection.
func ideal(args []string) error {
	if len(args) < 5 {
		return fmt.Errorf("want PORT GID GROUPS UMASK PROGRAM ARGS")
	}
	if args[0] == "worker" {
		return idealWorker(args[1:])
	}
	fd, err := listen(args[0])
	if err != nil {
		return err
	}
	listener := os.NewFile(uintptr(fd), "listener")
	var workers []*exec.Cmd
	for range runtime.NumCPU() {
		w := exec.Command("/proc/self/exe", append([]string{IdealMode, "worker"}, args[1:]...)...)
		w.ExtraFiles = []*os.File{listener}
		w.Stderr = os.Stderr
		w.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		w.Env = os.Environ()
		// The signal comes when the thread that started it ends, not the process.
		runtime.LockOSThread()
		if err := w.Start(); err != nil {
			return err
		}
		workers = append(workers, w)
	}
	for _, w := range workers {
		if err := w.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// idealWorker accepts, forks and executes. It gives the program what xinetd gives
// it (the socket as 0, 1 and 2, a session of its own, group, groups, umask), since
// any super-server must.
func idealWorker(args []string) error {
	gid, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return fmt.Errorf("group %q: %w", args[0], err)
	}
	var groups []uint32
	for text := range strings.SplitSeq(args[1], ",") {
		g, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("groups %q: %w", args[1], err)
		}
		groups = append(groups, uint32(g))
	}
	umask, err := strconv.ParseUint(args[2], 8, 9)
	if err != nil {
		return fmt.Errorf("umask %q: %w", args[2], err)
	}
	unix.Umask(int(umask))
	program := args[3]
	argv := append([]string{program[strings.LastIndexByte(program, '/')+1:]}, args[4:]...)
	attr := &syscall.ProcAttr{Dir: "/", Env: os.Environ(), Sys: &syscall.SysProcAttr{
		Setsid:     true,
		Credential: &syscall.Credential{Uid: 0, Gid: uint32(gid), Groups: groups},
	}}
	go reap()
	runtime.LockOSThread()
	for {
		conn, _, err := unix.Accept4(listenerFD, unix.SOCK_CLOEXEC)
		if err == unix.EINTR || err == unix.ECONNABORTED {
			continue
		}
		if err != nil {
			return err
		}
		attr.Files = []uintptr{uintptr(conn), uintptr(conn), uintptr(conn)}
		if _, err := syscall.ForkExec(program, argv, attr); err != nil {
			fmt.Fprintln(os.Stderr, "ideal:", program, err)
		}
		_ = unix.Close(conn)
	}
}

// reap waits for every child. An ignored SIGCHLD would do it too, but a program
// inherits that.
func reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.EINTR {
				continue
			}
			if pid <= 0 {
				break
			}
		}
	}
}
