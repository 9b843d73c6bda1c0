package target

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"qmconformance/harness/agent"
)

// Files is the target's file system for readers that know nothing of agents,
// such as the parser of xinetd's configuration. Names are as io/fs wants them:
// without the leading slash. Links are followed by the target itself.
func (t *Target) Files(ctx context.Context) fs.FS { return remoteFS{ctx, t, new(error), nil} }

// whole is Files for one who reads whole directories, once: their files are as they
// were when the directory was listed. A call for each file is what most of a run's
// calls would be.
func (t *Target) whole(ctx context.Context) remoteFS {
	return remoteFS{ctx, t, new(error), map[string]agent.File{}}
}

type remoteFS struct {
	ctx context.Context
	t   *Target
	// lost is the first error that tells nothing of the target, for those whose
	// reader takes every error for a fact about a file.
	lost *error
	// listed are files that were read with their directory, by their full names; nil
	// where that is not done.
	listed map[string]agent.File
}

func (r remoteFS) note(err error) error {
	if errors.Is(err, agent.ErrNoAnswer) && *r.lost == nil {
		*r.lost = err
	}
	return err
}

var (
	_ fs.ReadFileFS = remoteFS{}
	_ fs.ReadDirFS  = remoteFS{}
	_ fs.StatFS     = remoteFS{}
)

func (r remoteFS) name(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join("/", name), nil
}

func (r remoteFS) ReadFile(name string) ([]byte, error) {
	full, err := r.name("read", name)
	if err != nil {
		return nil, err
	}
	if f, listed := r.listed[full]; listed {
		return f.Text, nil
	}
	text, err := r.t.ReadFile(r.ctx, full)
	return text, r.note(err)
}

func (r remoteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	full, err := r.name("readdir", name)
	if err != nil {
		return nil, err
	}
	list, err := r.list(full)
	if err != nil {
		return nil, r.note(err)
	}
	var entries []fs.DirEntry
	for _, e := range list {
		entries = append(entries, fs.FileInfoToDirEntry(remoteInfo{e}))
	}
	return entries, nil
}

func (r remoteFS) list(dir string) (list []agent.Entry, err error) {
	if r.listed == nil {
		return r.t.Client.ReadDir(r.ctx, dir)
	}
	files, err := r.t.ReadFiles(r.ctx, dir)
	for _, f := range files {
		if f.Read {
			r.listed[f.Path] = f
		}
		list = append(list, f.Entry)
	}
	return list, err
}

// Stat follows links, as stat(2) does.
func (r remoteFS) Stat(name string) (fs.FileInfo, error) {
	full, err := r.name("stat", name)
	if err != nil {
		return nil, err
	}
	if f, listed := r.listed[full]; listed {
		return remoteInfo{f.Entry}, nil
	}
	if full, err = r.t.Resolve(r.ctx, full); err != nil {
		return nil, r.note(err)
	}
	e, err := r.t.Client.Stat(r.ctx, full)
	if err != nil {
		return nil, r.note(err)
	}
	return remoteInfo{e}, nil
}

func (r remoteFS) Open(name string) (fs.File, error) {
	info, err := r.Stat(name)
	if err != nil {
		return nil, err
	}
	text, err := r.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &remoteFile{info: info, Reader: bytes.NewReader(text)}, nil
}

type remoteFile struct {
	info fs.FileInfo
	io.Reader
}

func (f *remoteFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *remoteFile) Close() error               { return nil }

type remoteInfo struct{ e agent.Entry }

func (i remoteInfo) Name() string       { return path.Base(i.e.Path) }
func (i remoteInfo) Size() int64        { return i.e.Size }
func (i remoteInfo) Mode() fs.FileMode  { return i.e.Mode }
func (i remoteInfo) ModTime() time.Time { return time.Time{} }
func (i remoteInfo) IsDir() bool        { return i.e.Mode.IsDir() }
func (i remoteInfo) Sys() any           { return i.e }
