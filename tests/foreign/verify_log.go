// Answers whether Go's golang.org/x/mod/sumdb takes notes and proofs that scalegate made. Reads a JSON list of questions
// from standard input and writes a JSON list of answers: "ok", or why not.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Origin string   // of the log
	VKey   string   // of the log
	Note   string   // the signed checkpoint, as text
	Old    string   // an older signed checkpoint, for a consistency proof; or empty
	Entry  []byte   // the entry, for an inclusion proof
	Index  int64    // of the entry
	Proof  [][]byte // hashes of the proof
}

func open(text string, q question) (size int64, root tlog.Hash, err error) {
	verifier, err := note.NewVerifier(q.VKey)
	if err != nil {
		return 0, root, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != q.Origin {
		return 0, root, fmt.Errorf("no checkpoint of the log")
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return 0, root, err
	}
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(raw) != tlog.HashSize {
		return 0, root, fmt.Errorf("no root hash: %v", err)
	}
	copy(root[:], raw)
	return size, root, nil
}

func answer(q question) error {
	size, root, err := open(q.Note, q)
	if err != nil {
		return err
	}
	hashes := make([]tlog.Hash, len(q.Proof))
	for i, raw := range q.Proof {
		if len(raw) != tlog.HashSize {
			return fmt.Errorf("hash %d has %d bytes", i, len(raw))
		}
		copy(hashes[i][:], raw)
	}
	if q.Old != "" {
		oldSize, oldRoot, err := open(q.Old, q)
		if err != nil {
			return err
		}
		return tlog.CheckTree(hashes, size, root, oldSize, oldRoot)
	}
	if q.Entry != nil {
		return tlog.CheckRecord(hashes, size, root, q.Index, tlog.RecordHash(q.Entry))
	}
	return nil
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	answers := []string{}
	for _, q := range questions {
		said := "ok"
		if err := answer(q); err != nil {
			said = err.Error()
		}
		answers = append(answers, said)
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
