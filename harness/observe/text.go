package observe

import (
	"strconv"
	"strings"
)

// countRows counts the rows of a table whose first column is a number.
func countRows(table string) int {
	n := 0
	for line := range strings.Lines(table) {
		fields := strings.Fields(strings.TrimLeft(line, "*> "))
		if len(fields) > 1 {
			if _, err := strconv.Atoi(fields[0]); err == nil {
				n++
			}
		}
	}
	return n
}
