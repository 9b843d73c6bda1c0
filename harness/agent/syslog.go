package agent

import (
	"net"
	"os"
	"sync"
	"time"
)

// DevLog is where programs of libc's syslog(3) send their messages.
const DevLog = "/dev/log"

// How many messages are kept, and how many bytes of them: a subject that floods its
// log must not eat the target's memory.
const (
	syslogCap   = 200_000
	syslogBytes = 32 << 20
)

// syslogSocket stands in for a syslog daemon where the target has none. Without
// a reader on /dev/log all messages of xinetd are lost silently (syslog(3) does
// not report it), and with one that does not read xinetd hangs; so this one
// does nothing but read and keep.
type syslogSocket struct {
	path string
	own  os.FileInfo

	mu       sync.Mutex
	messages []SyslogMessage
	size     int
}

// listenSyslog takes /dev/log unless somebody serves it already; nil then.
func listenSyslog(path string) (*syslogSocket, error) {
	if c, err := net.Dial("unixgram", path); err == nil {
		c.Close()
		return nil, nil
	}
	if err := removeFile(path); err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	// syslog(3) must reach it as any user, whatever the umask of PID 1.
	if err := os.Chmod(path, 0o666); err != nil {
		conn.Close()
		return nil, err
	}
	s := &syslogSocket{path: path}
	if s.own, err = os.Lstat(path); err != nil {
		conn.Close()
		return nil, err
	}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			m := SyslogMessage{At: time.Now(), Raw: string(buf[:n])}
			s.keep(m)
		}
	}()
	return s, nil
}

// replaced says that somebody has put another socket in its place, as a syslog daemon
// does that is started later: what is logged then goes there.
func (s *syslogSocket) replaced() bool {
	if s == nil {
		return true
	}
	now, err := os.Stat(s.path)
	return err == nil && !os.SameFile(now, s.own)
}

func (s *syslogSocket) keep(m SyslogMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.messages) < syslogCap && s.size+len(m.Raw) <= syslogBytes {
		s.messages = append(s.messages, m)
		s.size += len(m.Raw)
	}
}

func (s *syslogSocket) since(n int) []SyslogMessage {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < 0 || n > len(s.messages) {
		n = len(s.messages)
	}
	return append([]SyslogMessage(nil), s.messages[n:]...)
}
