package image

import "time"

// Every wait of this package ends at one of these.
const (
	// LimitAnswer is how long a daemon may take to answer a ping. A daemon that
	// is well answers within milliseconds, on a machine under load within one second.
	LimitAnswer = 5 * time.Second
	// LimitCall is one small request: inspect, tag, create, remove.
	LimitCall = 20 * time.Second
	// LimitRegistry is how long a registry may take to begin a pull. Name
	// resolution, TLS and the manifest take about one second where there is one;
	// where there is none, a run must not stand still for longer than a person waits gladly.
	LimitRegistry = 4 * time.Second
	// LimitPull is a whole pull: 30 MB over a slow line.
	LimitPull = 5 * time.Minute
	// LimitBuild is one image build: 10 s measured for the largest on a slow
	// storage driver, about a minute with packages from a mirror.
	LimitBuild = 5 * time.Minute
	// LimitBootstrap is the base from Debian packages: 25 s measured as root,
	// 75 s without, times a slow mirror.
	LimitBootstrap = 8 * time.Minute
	// LimitCommit is a snapshot: 4 s measured on a slow storage driver.
	LimitCommit = time.Minute
	// LimitLock is how long to wait for another process that builds the same
	// image: as long as the longest build. Afterwards both build it, which
	// costs time and nothing else.
	LimitLock = LimitBootstrap

	// lockPoll is the pause between two tries for a lock.
	lockPoll = 100 * time.Millisecond
	// stopGrace is what a bootstrap has for removing its scratch directory after SIGTERM.
	stopGrace = 10 * time.Second

	// keepNewest images of each kind stay in the cache, by last use: enough for
	// two bases with two kinds of qm each, with whole trees and thinned ones, and as
	// much again with systemd on the base. They share their layers.
	keepNewest = 16
	// keepFresh protects an image that another run has just looked up and not
	// yet started a container from: longer than any run.
	keepFresh = time.Hour
)
