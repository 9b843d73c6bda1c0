package telnet

import "time"

// Every wait of this package. Where a number follows from qm, the source is named; the rest allows a busy machine
// ten times and more of what a quiet one needs.
const (
	// FirstByteLimit: xinetd's fork, exec, the loader and the first send take 2 to 3 ms.
	FirstByteLimit = 5 * time.Second
	// PromptLimit: qm waits up to 2 s for the terminal type (GPL.BP/LOGIN:112) and sleeps 2 s when all slots are taken (gplsrc/kernel.c:235).
	PromptLimit = 8 * time.Second
	// StepLimit: a refused login sleeps 3 s, and 2 s more after the third (GPL.BP/LOGIN, Invalid username or password); a hash takes at most 25 ms.
	StepLimit = 10 * time.Second
	// CommandLimit: the commands of the harness answer within milliseconds, a file creation within tens of them.
	CommandLimit = 30 * time.Second
	// EndLimit: after "Connection terminated" qm sleeps 2 s before it ends (GPL.BP/LOGIN, terminate.connection).
	EndLimit = 6 * time.Second

	// TermTypePause is kept between DO TERMINAL-TYPE and our answer. An answer that arrives before qm has asked for SIGIO
	// (gplsrc/linuxio.c:203) is not noticed, and the session stalls for 2 s; half a millisecond was enough on a quiet machine.
	TermTypePause = 10 * time.Millisecond
	// TermTypeKick: if nothing has come by then, the answer was lost all the same (either of the two can be), and a NOP makes qm look
	// again. On a busy machine it may only be slow, and the NOP does no harm.
	TermTypeKick = 250 * time.Millisecond
	// maxKicks: after that qm has given up waiting by itself.
	maxKicks = 4

	// IdleLimit is qm's own at the Username, Password and Account prompts; it ends the session 2 s later (GPL.BP/LOGIN, input ... timeout 30).
	// There is none at the command prompt.
	IdleLimit = 30 * time.Second
	// IdleEnd is when an idle login dialogue has ended for sure.
	IdleEnd = IdleLimit + 2*time.Second + 5*time.Second
)
