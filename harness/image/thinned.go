package image

import "path"

// Why a thinned tree: what a package does to the whole tree, chown -R for one, has a
// union file system copy every file of it up, which took 2 s of a processor for the
// 4600 files of ScarletDME 2.6-6. 4300 of them are records in three directories.
const (
	// recordsFrom is from how many files on a directory is taken for a file of
	// records, of which recordsKept stay.
	recordsFrom = 200
	recordsKept = 10
	// thinnedFrom is how many files must go for a thinned tree to be worth it.
	thinnedFrom = 500
)

// thinned is the tree with only the first records of directories that hold very many:
// the same directories, owners and modes, the same programs. Where little would be
// left out it is the tree itself.
func (t *tree) thinned() *tree {
	files := map[string]int{}
	for _, e := range t.entries {
		if e.info.Mode().IsRegular() {
			files[path.Dir(e.name)]++
		}
	}
	thin := &tree{root: t.root}
	seen, gone := map[string]int{}, map[string]bool{}
	for _, e := range t.entries {
		dir := path.Dir(e.name)
		if e.info.Mode().IsRegular() && files[dir] >= recordsFrom {
			if seen[dir]++; seen[dir] > recordsKept {
				gone[e.name] = true
				continue
			}
		}
		if e.hard && gone[e.link] {
			gone[e.name] = true
			continue
		}
		thin.entries = append(thin.entries, e)
	}
	if len(gone) < thinnedFrom {
		return t
	}
	return thin
}
