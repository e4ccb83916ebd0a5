//! How large an image may be.

/// Bounds of what is taken in, and of what it may cost meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageLimits {
    /// Bytes as it comes.
    pub encoded_bytes: usize,
    /// Pixels of the longer side.
    pub side: u32,
    /// Bytes once it is decoded.
    pub decoded_bytes: u64,
    /// Bytes that all images in hand may take together, about. One image that would take more by itself waits until it is
    /// alone.
    pub working_bytes: u64,
}

impl Default for ImageLimits {
    /// 10 MiB as it comes, 8,192 pixels a side, 64 MiB decoded (16 million pixels), 8 MiB for all: two drawings at once,
    /// which is what two cores compress anyway.
    fn default() -> Self {
        Self { encoded_bytes: 10 << 20, side: 8192, decoded_bytes: 64 << 20, working_bytes: 8 << 20 }
    }
}
