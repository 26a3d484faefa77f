package password

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the list is part of the program, so that no network is asked
	"io"
	"strings"
	"sync"
)

// Where the list is from stands in COMMON-LICENSE.
//
//go:embed common.txt.gz
var commonPacked []byte

// list is a set of words in lower case. A word is in it or is not: nothing is
// refused for a likeness of hashes.
type list struct {
	has     func(word string) bool
	longest int // characters of its longest word
}

// newList takes words of ASCII with white space between.
func newList(text string) list {
	words := strings.Fields(text)
	set, longest := make(map[string]struct{}, len(words)), 0
	for _, word := range words {
		set[word] = struct{}{}
		longest = max(longest, len(word))
	}
	return list{func(word string) bool { _, ok := set[word]; return ok }, longest}
}

// common returns the list of passwords that are guessed first. It is unpacked
// when the first new password is checked, and never changes.
var common = sync.OnceValue(func() list {
	text, err := unpack(commonPacked)
	if err != nil {
		panic("password: the list in the program is damaged: " + err.Error())
	}
	return newList(text)
})

func unpack(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}
