package yardstick

import "golang.org/x/sys/unix"

// isAccept says whether the system call that just returned gave a connection.
func (t *tracer) isAccept(pid int) bool {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return false
	}
	call := regs.Orig_rax
	return (call == unix.SYS_ACCEPT || call == unix.SYS_ACCEPT4) && int64(regs.Rax) >= 0
}
