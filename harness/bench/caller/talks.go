package caller

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"qmconformance/harness/qmclient"
	"qmconformance/harness/telnet"
)

// OneByte reads one byte and hangs up: for a server that ends by itself, and that
// nobody minds.
func OneByte(l *Line, c *Call) {
	if c.Err = l.read(); c.Err == nil {
		l.first(c)
	}
}

// ToTheEnd reads all that a server says before it ends.
func ToTheEnd(l *Line, c *Call) {
	if c.Err = l.read(); c.Err != nil {
		return
	}
	l.first(c)
	c.Ready = c.First
	if l.hold != nil {
		l.hold(c)
	}
	c.Err = l.end(c)
}

// Login is who logs in, and to which account.
type Login struct{ User, Password, Account string }

// roundTrip is the command whose answer is timed: one line, from memory.
const roundTrip = "WHO"

// ack is the first byte of qmclient's port.
const ack = 0x06

// Client is a conversation on the qmclient port. Without a login it is the safe
// probe: a request to quit, which is refused.
func Client(login *Login) Talk {
	quit := qmclient.EncodeQuit()
	refusal := qmclient.NotLoggedIn().Encode()
	var enter, account, who []byte
	if login != nil {
		enter = qmclient.EncodeLogin(login.User, login.Password)
		account = qmclient.EncodeAccount(login.Account)
		who = qmclient.EncodeExecute(roundTrip)
	}
	return func(l *Line, c *Call) {
		if c.Err = l.read(); c.Err != nil {
			return
		}
		l.first(c)
		if l.buf[0] != ack {
			c.Err = fmt.Errorf("the first byte is %#02x", l.buf[0])
			return
		}
		// A qm that leaves before it has come up takes harm; some milliseconds do.
		c.Asked = Now()
		if login == nil {
			c.Err = l.refused(c, quit, refusal)
			return
		}
		c.Err = l.session(c, enter, account, who)
		c.LeftAt = Now()
		if err := l.write(quit); c.Err == nil {
			c.Err = err
		}
		if err := l.end(c); c.Err == nil {
			c.Err = err
		}
	}
}

// refused sends the one request that a session without a login is refused. Its
// answer is the proof that qm itself is up; the byte before it is not.
func (l *Line) refused(c *Call, quit, refusal []byte) error {
	if l.hold != nil {
		l.hold(c)
	}
	c.Asked = Now()
	c.LeftAt = c.Asked
	l.have = 0
	if err := l.write(quit); err != nil {
		return err
	}
	err := l.until(func(data []byte) bool { return len(data) >= len(refusal) })
	if err != nil {
		return fmt.Errorf("the reply: %w", err)
	}
	c.Ready = Now()
	if !bytes.Equal(l.buf[:l.have], refusal) {
		err = fmt.Errorf("the reply is %q", l.buf[:min(l.have, 80)])
	}
	return errors.Join(err, l.end(c))
}

// session logs in and asks once. c.Ready stays 0: a session that logs in has no
// reply before its login.
func (l *Line) session(c *Call, enter, account, who []byte) error {
	c.LoginAt = Now()
	if err := l.exchange(enter, "the login"); err != nil {
		return err
	}
	c.LoggedIn = Now()
	if err := l.exchange(account, "the account"); err != nil {
		return err
	}
	if l.hold != nil {
		l.hold(c)
	}
	c.RequestAt = Now()
	if err := l.exchange(who, roundTrip); err != nil {
		return err
	}
	c.Answered = Now()
	return nil
}

// exchange sends a request and reads the reply to it.
func (l *Line) exchange(request []byte, what string) error {
	l.have = 0
	if err := l.write(request); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	err := l.until(func(data []byte) bool {
		return len(data) >= 4 && len(data) >= int(min(binary.LittleEndian.Uint32(data), uint32(len(l.buf))))
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if form, reply, _ := qmclient.Decode(l.buf[:l.have]); form != qmclient.FormReply || reply.ServerError != 0 {
		return fmt.Errorf("%s: answered %s %v", what, form, reply)
	}
	return nil
}

var (
	doTermType   = []byte{telnet.IAC, telnet.DO, telnet.OptionTermType}
	willTermType = []byte{telnet.IAC, telnet.WILL, telnet.OptionTermType}
	sendTermType = []byte{telnet.IAC, telnet.SB, telnet.OptionTermType, 1, telnet.IAC, telnet.SE}
	isTermType   = append(append([]byte{telnet.IAC, telnet.SB, telnet.OptionTermType, 0}, "vt100"...), telnet.IAC, telnet.SE)
	nop          = []byte{telnet.IAC, telnet.NOP}

	username = []byte("Username: ")
	password = []byte("Password: ")
	command  = []byte("\x00:")
	enterKey = []byte("\r")
)

// TermTypePause is kept before our answer to DO TERMINAL-TYPE: one that is there
// before qm listens for it is lost, and costs 2 s.
const TermTypePause = telnet.TermTypePause

// Server is a conversation on the qmserver port, in the manner of a telnet client.
// Without a login it leaves by three blank user names.
func Server(login *Login) Talk {
	return func(l *Line, c *Call) {
		if c.Err = l.read(); c.Err != nil {
			return
		}
		l.first(c)
		if c.Err = l.negotiate(c); c.Err != nil {
			l.leaveLogin(c)
			return
		}
		c.Ready = Now()
		if login == nil {
			if l.hold != nil {
				l.hold(c)
			}
			l.leaveLogin(c)
			return
		}
		if c.Err = l.typeLogin(c, login); c.Err != nil {
			l.leaveLogin(c)
			return
		}
		c.LeftAt = Now()
		c.Err = errors.Join(l.write([]byte("off\r")), l.end(c))
	}
}

// negotiate answers the terminal type and waits for the first prompt.
func (l *Line) negotiate(c *Call) error {
	if err := l.until(func(data []byte) bool { return bytes.Contains(data, doTermType) }); err != nil {
		return fmt.Errorf("DO TERMINAL-TYPE: %w", err)
	}
	sleepUntil(Now() + TermTypePause.Nanoseconds())
	c.Asked = Now()
	if err := l.write(willTermType); err != nil {
		return err
	}
	l.limit(unix.SO_RCVTIMEO, kickAfter)
	silent := time.Duration(0)
	for !bytes.Contains(l.buf[:l.have], sendTermType) && !bytes.HasSuffix(l.buf[:l.have], username) {
		err := l.read()
		if err == unix.EAGAIN && silent < StepLimit {
			silent += kickAfter
			c.Kicks++
			err = l.write(nop)
		}
		if err != nil {
			return fmt.Errorf("SB TERMINAL-TYPE: %w", err)
		}
	}
	l.limit(unix.SO_RCVTIMEO, StepLimit)
	if err := l.write(isTermType); err != nil {
		return err
	}
	if err := l.until(func(data []byte) bool { return bytes.HasSuffix(data, username) }); err != nil {
		return fmt.Errorf("the first prompt: %w", err)
	}
	return nil
}

// leaveLogin ends a session that has not logged in: blank user names, as many as
// qm takes, and then its end.
func (l *Line) leaveLogin(c *Call) {
	c.LeftAt = Now()
	l.have = 0
	err := l.write(bytes.Repeat(enterKey, 3))
	if err == nil {
		err = l.end(c)
	}
	if c.Err == nil && err != nil {
		c.Err = fmt.Errorf("the end: %w", err)
	}
}

func (l *Line) typeLogin(c *Call, login *Login) error {
	c.LoginAt = Now()
	for _, step := range []struct {
		line string
		then func([]byte) bool
	}{
		{login.User, func(data []byte) bool { return bytes.HasSuffix(data, password) }},
		{login.Password, func(data []byte) bool { return atAccount(data) || bytes.HasSuffix(data, command) }},
		{login.Account, func(data []byte) bool { return bytes.HasSuffix(data, command) }},
	} {
		if bytes.HasSuffix(l.buf[:l.have], command) {
			break // qm leaves the account out where it is settled
		}
		if err := l.line(step.line, step.then); err != nil {
			return fmt.Errorf("the login: %w", err)
		}
	}
	c.LoggedIn = Now()
	if l.hold != nil {
		l.hold(c)
	}
	c.RequestAt = Now()
	// What is typed is inverted: this is WHO.
	if err := l.line("who", func(data []byte) bool { return bytes.HasSuffix(data, command) }); err != nil {
		return fmt.Errorf("%s: %w", roundTrip, err)
	}
	c.Answered = Now()
	return nil
}

func atAccount(data []byte) bool {
	i := bytes.LastIndex(data, []byte("Account"))
	return i >= 0 && bytes.HasSuffix(data, []byte(": ")) && !bytes.Contains(data[i:], []byte("\n"))
}

func (l *Line) line(text string, then func([]byte) bool) error {
	l.have = 0
	if err := l.write([]byte(text + "\r")); err != nil {
		return err
	}
	return l.until(then)
}

// sleepUntil sleeps to a time of the monotonic clock.
func sleepUntil(at int64) {
	ts := unix.NsecToTimespec(at)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}
