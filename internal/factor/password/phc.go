package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Params is the cost of argon2id.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultParams is 19 MiB, two passes, one thread (OWASP, Password Storage).
var DefaultParams = Params{Memory: 19456, Time: 2, Threads: 1}

const (
	saltLen = 16
	keyLen  = 32

	// Limits of a stored hash, so that a damaged row cannot ask for more
	// memory than the machine has.
	maxMemory  = 256 << 10 // KiB
	maxTime    = 64
	maxThreads = 16
	maxField   = 64 // bytes of salt and key
)

var errPHC = errors.New("the stored hash is not an argon2id PHC string that can be read")

// phc is a stored hash:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//
// in base64 of the standard alphabet without padding. One hash has one
// spelling; no other is read.
type phc struct {
	params    Params
	salt, key []byte
}

var phcBase64 = base64.RawStdEncoding.Strict()

func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.params.Memory, h.params.Time, h.params.Threads,
		phcBase64.EncodeToString(h.salt), phcBase64.EncodeToString(h.key))
}

func parsePHC(s string) (phc, error) {
	fields := strings.Split(s, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" ||
		fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, errPHC
	}
	var h phc
	for i, part := range strings.Split(fields[3], ",") {
		if i > 2 || !strings.HasPrefix(part, "mtp"[i:i+1]+"=") {
			return phc{}, errPHC
		}
		n, err := strconv.ParseUint(part[2:], 10, 32)
		if err != nil || n == 0 || n > [...]uint64{maxMemory, maxTime, maxThreads}[i] {
			return phc{}, errPHC
		}
		switch i {
		case 0:
			h.params.Memory = uint32(n)
		case 1:
			h.params.Time = uint32(n)
		case 2:
			h.params.Threads = uint8(n)
		}
	}
	var err1, err2 error
	h.salt, err1 = phcBase64.DecodeString(fields[4])
	h.key, err2 = phcBase64.DecodeString(fields[5])
	switch {
	case err1 != nil || err2 != nil, len(h.salt) < 8 || len(h.salt) > maxField, len(h.key) < 16 || len(h.key) > maxField:
		return phc{}, errPHC
	case h.params.Memory < 8*uint32(h.params.Threads), h.String() != s:
		return phc{}, errPHC
	}
	return h, nil
}

// derive hashes the normalized password.
func derive(p Params, password string, salt []byte, length int) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.Time, p.Memory, p.Threads, uint32(length))
}
