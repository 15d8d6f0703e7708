package pack

import "github.com/klauspost/compress/zstd"

// maxZstdBlock is the largest content of a block, in bytes (RFC 8878, 3.1.1.2.3).
const maxZstdBlock = 128 << 10

// A sizeRange bounds what frames decompress to, in bytes.
type sizeRange struct{ least, most uint64 }

// zstdSize bounds the size of the frames in src from the headers of frames and
// blocks, before anything is decompressed. What a frame says of its size is
// believed if its blocks can hold that much.
func zstdSize(src []byte) (total sizeRange, err error) {
	if len(src) == 0 {
		return total, ErrCorrupt
	}
	for len(src) > 0 {
		var h zstd.Header
		if err := h.Decode(src); err != nil {
			return total, corrupt(err)
		}
		if h.Skippable {
			if uint64(h.HeaderSize)+uint64(h.SkippableSize) > uint64(len(src)) {
				return total, ErrCorrupt
			}
			src = src[h.HeaderSize+int(h.SkippableSize):]
			continue
		}
		frame, rest, ok := frameSize(&h, src[h.HeaderSize:])
		if !ok {
			return total, ErrCorrupt
		}
		total.least += frame.least
		total.most += frame.most
		src = rest
	}
	return total, nil
}

// frameSize bounds the size of the frame whose blocks begin src, and returns what
// follows the frame.
func frameSize(h *zstd.Header, src []byte) (size sizeRange, rest []byte, ok bool) {
	for last := false; !last; {
		if len(src) < 3 {
			return size, nil, false
		}
		// Block_Header: last block, type, size (RFC 8878, 3.1.1.2).
		header := int(src[0]) | int(src[1])<<8 | int(src[2])<<16
		last = header&1 == 1
		content, stored := header>>3, header>>3
		switch header >> 1 & 3 {
		case 0: // raw
		case 1: // one byte, repeated
			stored = 1
		case 2: // compressed
			content = maxZstdBlock
			if !h.SingleSegment {
				content = int(min(h.WindowSize, maxZstdBlock))
			}
		default: // reserved
			return size, nil, false
		}
		if content > maxZstdBlock || len(src) < 3+stored {
			return size, nil, false
		}
		src = src[3+stored:]
		size.most += uint64(content)
	}
	if h.HasFCS {
		if h.FrameContentSize > size.most {
			return size, nil, false
		}
		size = sizeRange{h.FrameContentSize, h.FrameContentSize}
	}
	if h.HasCheckSum {
		if len(src) < 4 {
			return size, nil, false
		}
		src = src[4:]
	}
	return size, src, true
}
