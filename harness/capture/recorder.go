package capture

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gopacket/gopacket/afpacket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The ring that the kernel writes packets to, shared with the recorder, so that a
// packet costs no system call and no process is woken for it.
const (
	blockSize  = 256 << 10
	ringBlocks = 16
	frameSize  = 4096 // only the block counts in version 3 of the ring
	// retire is after which time the kernel hands over a block that is not full.
	retire = 50 * time.Millisecond
	// settle is how long after a packet the recorder has it at the latest, on a
	// machine that is busy.
	settle = 2 * retire
)

// Recorder keeps the packets of all TCP connections of its network namespace, on
// all interfaces, those that come later too.
type Recorder struct {
	mu     sync.Mutex
	memory *memory
	ring   *afpacket.TPacket
	since  time.Time
	absent string
	// filter is what lets packets pass while nothing is paused.
	filter []bpf.RawInstruction
}

// Start begins to record all but the connections with a port of the harness's
// own. It needs CAP_NET_RAW at this moment and not afterwards. Where it is not
// possible the recorder says so whenever it is asked.
func Start(except uint16, limits Limits) *Recorder {
	r := &Recorder{memory: newMemory(limits), since: time.Now()}
	if err := r.open(except); err != nil {
		r.absent = explain(err)
		return r
	}
	go r.listen()
	return r
}

func explain(err error) string {
	if errors.Is(err, unix.EPERM) {
		return "the target has no CAP_NET_RAW, which packet sockets need (packet(7))"
	}
	return "no packet socket: " + err.Error()
}

func (r *Recorder) open(except uint16) error {
	loopback, err := loopbackIndex()
	if err != nil {
		return err
	}
	filter, err := bpf.Assemble(append(once(loopback), without(except)...))
	if err != nil {
		return err
	}
	// Nothing that the recorder's process starts may inherit the socket.
	kind := afpacket.OptSocketType(unix.SOCK_RAW | unix.SOCK_CLOEXEC)
	r.ring, err = afpacket.NewTPacket(kind, afpacket.TPacketVersion3,
		afpacket.OptFrameSize(frameSize), afpacket.OptBlockSize(blockSize), afpacket.OptNumBlocks(ringBlocks),
		afpacket.OptBlockTimeout(retire),
		afpacket.OptPollTimeout(-time.Millisecond)) // without end: the library's own default is not to wait at all
	if err != nil {
		return err
	}
	r.filter = filter
	if err := r.ring.SetBPF(filter); err != nil {
		r.ring.Close()
		return fmt.Errorf("filter: %w", err)
	}
	return nil
}

// Pause has the kernel drop every packet before it reaches the ring, or lets them
// pass again: while times are measured, to record would be measured too.
func (r *Recorder) Pause(paused bool) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.absent != "" {
		return nil
	}
	filter := r.filter
	if paused {
		var err error
		if filter, err = bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}}); err != nil {
			return err
		}
	}
	return r.ring.SetBPF(filter)
}

func loopbackIndex() (int, error) {
	links, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		if l.Flags&net.FlagLoopback != 0 {
			return l.Index, nil
		}
	}
	return 0, nil // no packet passes an interface of that number
}

// listen takes what the kernel hands over until the process ends.
func (r *Recorder) listen() {
	for {
		data, info, err := r.ring.ReadPacketData()
		if err != nil {
			// Nothing ends a socket on all interfaces; to try again might be to spin.
			r.mu.Lock()
			r.absent = "the recording ended: " + err.Error()
			r.mu.Unlock()
			return
		}
		r.mu.Lock()
		r.memory.add(Packet{At: info.Timestamp, Interface: info.InterfaceIndex, Length: info.Length, Data: data})
		r.mu.Unlock()
	}
}

// Find are the wanted connections. It waits until the packets of the youngest are
// sure to be there.
func (r *Recorder) Find(wants []Want) Capture {
	if r == nil {
		return Capture{Status: Status{Absent: "nobody recorded any"}}
	}
	r.mu.Lock()
	absent := r.absent
	r.mu.Unlock()
	if absent == "" {
		var youngest time.Time
		for _, w := range wants {
			if w.Until.After(youngest) {
				youngest = w.Until
			}
		}
		time.Sleep(min(settle, time.Until(youngest.Add(settle))))
	}
	c := Capture{Interfaces: map[int]string{}, Status: r.Status()}
	r.mu.Lock()
	c.Connections = r.memory.find(wants)
	r.mu.Unlock()
	links, _ := net.Interfaces() // without their names the numbers must do
	for _, l := range links {
		c.Interfaces[l.Index] = l.Name
	}
	return c
}

// Status is how the recording fares.
func (r *Recorder) Status() Status {
	if r == nil {
		return Status{Absent: "nobody recorded any"}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{
		Absent: r.absent, Since: r.since, Limits: r.memory.limits,
		Seen: r.memory.seen, Dropped: r.memory.dropped, Kept: r.memory.kept,
	}
	if r.ring != nil {
		if _, stats, err := r.ring.SocketStats(); err == nil {
			s.Lost = int(stats.Drops())
			s.Seen += s.Lost
		}
	}
	return s
}
