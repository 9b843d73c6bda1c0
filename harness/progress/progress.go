// Package progress tells how a run goes while it goes: what is looked at, for how
// long, and what is red so far. On a terminal that is one line that changes in
// place; elsewhere, in the log of a CI job say, it is a plain line now and then.
package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// livePause is between two states of the line on a terminal: quicker is restless.
	livePause = 200 * time.Millisecond
	// plainPause is between two lines elsewhere: a run of half a minute says twice that
	// it lives, and one of ten minutes does not fill its log.
	plainPause = 15 * time.Second
	// mostNamed is how many of the red, and of the looks, are named.
	mostNamed = 3
)

// Progress writes to one place. Its methods may be called by many goroutines.
type Progress struct {
	w io.Writer
	// width is that of the terminal; nil where there is none.
	width func() int
	// elapsed is the time of the run, which begins anew once images are built.
	elapsed func() time.Duration

	mu     sync.Mutex
	total  int
	judged int
	red    []string
	looks  []look
	// drawn says that the line in place has to go before another one is written.
	drawn bool

	stop, done chan struct{}
}

type look struct {
	name  string
	began time.Duration
}

// New tells of a run on w. width is nil unless w is a terminal.
func New(w io.Writer, width func() int, elapsed func() time.Duration) *Progress {
	return &Progress{w: w, width: width, elapsed: elapsed}
}

// Note writes a line that stays.
func (p *Progress) Note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.line(text)
	p.draw()
}

// line writes a line with the time before it.
func (p *Progress) line(text string) {
	fmt.Fprintf(p.w, "%6.1f s  %s\n", p.elapsed().Seconds(), text)
}

// Judged counts a verdict. id is empty unless it is red.
func (p *Progress) Judged(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judged++
	if id != "" && !slices.Contains(p.red, id) {
		p.red = append(p.red, id)
	}
}

// Looking says that a look begins, or that it has ended.
func (p *Progress) Looking(name string, begins bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begins {
		p.looks = append(p.looks, look{name, p.elapsed()})
		return
	}
	if i := slices.IndexFunc(p.looks, func(l look) bool { return l.name == name }); i >= 0 {
		p.looks = slices.Delete(p.looks, i, i+1)
	}
}

// Start begins to tell of a run with so many verdicts to reach, until Stop.
func (p *Progress) Start(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	pause := plainPause
	if p.width != nil {
		pause = livePause
	}
	go p.tell(pause, p.stop, p.done)
}

func (p *Progress) tell(pause time.Duration, stop, done chan struct{}) {
	defer close(done)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			p.Tick()
		}
	}
}

// Tick tells how it goes at this moment.
func (p *Progress) Tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width == nil {
		p.line(p.state())
		return
	}
	p.erase()
	p.drawn = true
	p.draw()
}

// Stop ends the telling, and leaves nothing in place. It may be called twice, and
// before Start.
func (p *Progress) Stop() {
	p.mu.Lock()
	stop, done := p.stop, p.done
	p.stop = nil
	p.mu.Unlock()
	if stop == nil {
		return
	}
	close(stop)
	<-done
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.drawn = false
}

// erase takes the line in place away.
func (p *Progress) erase() {
	if p.drawn {
		io.WriteString(p.w, "\r\x1b[K")
	}
}

// draw writes the line in place, cut so that it stays one.
func (p *Progress) draw() {
	if !p.drawn {
		return
	}
	line := fmt.Sprintf("%6.1f s  %s", p.elapsed().Seconds(), p.state())
	// A terminal wraps what fills its last column.
	if room := max(p.width()-1, 1); utf8.RuneCountInString(line) > room {
		line = string([]rune(line)[:room-1]) + "…"
	}
	io.WriteString(p.w, line)
}

// state is how it goes, in one line.
func (p *Progress) state() string {
	text := fmt.Sprintf("%d of %d judged", p.judged, p.total)
	if n := len(p.red); n > 0 {
		text += fmt.Sprintf(", %d red: %s", n, some(p.red))
	} else {
		text += ", none red"
	}
	now := p.elapsed()
	var names []string
	for _, l := range p.looks {
		names = append(names, fmt.Sprintf("%s %.0f s", l.name, max(0, now-l.began).Seconds()))
	}
	if len(names) > 0 {
		text += "; looking: " + some(names)
	}
	return text
}

// some names the first of a list, and counts the others.
func some(list []string) string {
	if len(list) <= mostNamed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:mostNamed], ", "), len(list)-mostNamed)
}
