package stdio

import (
	"fmt"
	"strconv"
	"strings"

	"qmconformance/harness/judge"
	"qmconformance/harness/observe"
	"qmconformance/harness/verdict"
)

var _ = judge.Section(area, "sessions side by side, and their end", func() {
	judge.On("STDIO-17", observe.Neighbours, separate)
	judge.On("STDIO-19", observe.Neighbours, independent)
	judge.On("STDIO-20", observe.Contact, processEnds)
	judge.On("STDIO-21", observe.Login, slotIsFreed)
})

func separate(_ judge.Case, f observe.Neighboured) verdict.Finding {
	const expected = "a process and a socket for each session, and none of another's"
	if len(f.Sessions) < 2 {
		return verdict.Broken("%d sessions were opened", len(f.Sessions))
	}
	processes, sockets := map[int]string{}, map[uint64]string{}
	for _, s := range f.Sessions {
		if !s.Served.Found {
			return verdict.Unmet("the process of %s's session was not found", s.User)
		}
		pid, inode := s.Served.Server.PID, s.Served.Socket.Inode
		if other, taken := processes[pid]; taken {
			return verdict.Violated(expected, fmt.Sprintf("%s and %s share process %d", other, s.User, pid), "")
		}
		if other, taken := sockets[inode]; taken {
			return verdict.Violated(expected, fmt.Sprintf("%s and %s share socket %d", other, s.User, inode), "")
		}
		processes[pid], sockets[inode] = s.User, s.User
	}
	for _, s := range f.Sessions {
		for _, fd := range s.Served.Server.FDs {
			if owner, known := sockets[fd.Inode]; known && owner != s.User {
				return verdict.Violated(expected, fmt.Sprintf("the process of %s holds the connection of %s as descriptor %d", s.User, owner, fd.Number), "")
			}
		}
	}
	return verdict.Kept(expected, fmt.Sprintf("%d processes, %d sockets", len(processes), len(sockets)))
}

func independent(_ judge.Case, f observe.Neighboured) verdict.Finding {
	const expected = "every session answers while xinetd is stopped"
	if !f.Stopped {
		return verdict.Unmet("xinetd could not be stopped")
	}
	if len(f.Sessions) == 0 {
		return verdict.Broken("no session was opened")
	}
	for _, s := range f.Sessions {
		// WHO answers with the number of the user and the account.
		if !strings.Contains(s.Answer, observe.Account) {
			return verdict.Violated(expected, fmt.Sprintf("the session of %s answered %q", s.User, strings.TrimSpace(s.Answer)), "")
		}
	}
	if !f.Continued {
		return verdict.Violated(expected, "they do, but xinetd did not run on when it was continued", "")
	}
	return verdict.Kept(expected, fmt.Sprintf("%d sessions did", len(f.Sessions)))
}

func processEnds(_ judge.Case, f observe.Contacted) verdict.Finding {
	const expected = "the process is gone soon after the connection's end"
	if !f.Served.Found {
		return verdict.Unmet("the serving process was not found")
	}
	return verdict.That(f.Ended.Gone, expected, fmt.Sprintf("pid %d, looked for %v", f.Served.Server.PID, f.Ended.After.Round(1e6)), "")
}

func slotIsFreed(_ judge.Case, f observe.LoggedIn) verdict.Finding {
	if f.Ended.SlotsBefore < 0 || f.Ended.SlotsAfter < 0 {
		return verdict.Unmet("the database does not tell its users: %s", strings.TrimSpace(f.Ended.UsersAfter))
	}
	expected := fmt.Sprintf("%d users after the session, as before it, and none of them its own", f.Ended.SlotsBefore)
	actual := fmt.Sprintf("%d users", f.Ended.SlotsAfter)
	if pid := f.Served.Server.PID; hasPlace(f.Ended.UsersAfter, pid) {
		return verdict.Violated(expected, fmt.Sprintf("%s, pid %d of the session among them", actual, pid), "")
	}
	// One fewer is the place of another session, which was on its way out before.
	return verdict.That(f.Ended.SlotsAfter <= f.Ended.SlotsBefore, expected, actual, "")
}

// hasPlace says whether "qm -u" lists a process: its number is the second column.
func hasPlace(users string, pid int) bool {
	for line := range strings.Lines(users) {
		if fields := strings.Fields(line); pid > 0 && len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			return true
		}
	}
	return false
}
