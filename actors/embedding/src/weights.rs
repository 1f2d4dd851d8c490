use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rten_simd::f16;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use sha2::{Digest, Sha256};

use crate::EmbeddingError;

/// The header of a model of a few hundred tensors is some 20 KB.
const MAX_HEADER_BYTES: u64 = 16 << 20;
/// How much of the file is held at once, beside the numbers already read. A multiple of every number's size.
const BLOCK_BYTES: usize = 256 << 10;
/// Present in every BERT model, with or without the prefix.
const PROBE: &str = "embeddings.word_embeddings.weight";
const PREFIX: &str = "bert.";

/// An open safetensors file, from which tensors are read one by one: the file is never in memory as a whole.
pub struct WeightsFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    data_start: u64,
    prefix: &'static str,
}

impl WeightsFile {
    pub(crate) fn open(path: &Path) -> Result<Self, EmbeddingError> {
        let failed = |source| EmbeddingError::Read { path: path.to_owned(), source };
        let refuse = |reason: String| EmbeddingError::Malformed { path: path.to_owned(), reason };
        let mut file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut prefix = [0; 8];
        if length < prefix.len() as u64 {
            return Err(refuse("it is too short for a safetensors file".to_owned()));
        }
        file.read_exact(&mut prefix).map_err(failed)?;
        let header_bytes = u64::from_le_bytes(prefix);
        let data_start = header_bytes.saturating_add(prefix.len() as u64);
        if header_bytes > MAX_HEADER_BYTES || data_start > length {
            return Err(refuse(format!("it declares a header of {header_bytes} bytes")));
        }
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(failed)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| refuse(format!("bad header: {error}")))?;
        let declared = data_start.saturating_add(metadata.data_len() as u64);
        if declared != length {
            return Err(refuse(format!("it has {length} bytes, but its header describes {declared}")));
        }
        let prefixed = metadata.info(PROBE).is_none() && metadata.info(&format!("{PREFIX}{PROBE}")).is_some();
        let prefix = if prefixed { PREFIX } else { "" };
        Ok(Self { path: path.to_owned(), file, metadata, data_start, prefix })
    }

    /// The tensor `name`, without the prefix `bert.`, of `shape`, row by row.
    ///
    /// # Errors
    /// [`EmbeddingError::Read`] and every variant about tensors.
    pub fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbeddingError> {
        let mut values = Vec::new();
        self.append(name, shape, &mut values)?;
        Ok(values)
    }

    /// Appends the tensor `name` of `shape` to `values`.
    pub(crate) fn append(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &mut Vec<f32>,
    ) -> Result<(), EmbeddingError> {
        let tensor = format!("{}{name}", self.prefix);
        let Some(info) = self.metadata.info(&tensor) else {
            return Err(EmbeddingError::TensorMissing { path: self.path.clone(), tensor });
        };
        if info.shape != shape {
            return Err(EmbeddingError::TensorShape {
                path: self.path.clone(),
                tensor,
                expected: shape.to_vec(),
                found: info.shape.clone(),
            });
        }
        let Some(convert) = converter(info) else {
            let found = format!("{:?}", info.dtype);
            return Err(EmbeddingError::TensorType { path: self.path.clone(), tensor, found });
        };
        let (start, end) = info.data_offsets;
        let already = values.len();
        values.reserve_exact(shape.iter().product());
        self.blocks(start, end, |block| convert(block, values))?;
        if values[already..].iter().all(|value| value.is_finite()) {
            Ok(())
        } else {
            Err(EmbeddingError::TensorValue { path: self.path.clone(), tensor })
        }
    }

    /// SHA-256 of the whole file, in lower-case hexadecimal.
    pub(crate) fn digest(&mut self) -> Result<String, EmbeddingError> {
        let failed = |source| EmbeddingError::Read { path: self.path.clone(), source };
        let mut hash = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        loop {
            let count = self.file.read(&mut block).map_err(failed)?;
            if count == 0 {
                return Ok(hex::encode(hash.finalize()));
            }
            hash.update(&block[..count]);
        }
    }

    fn blocks(
        &mut self,
        start: usize,
        end: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), EmbeddingError> {
        let failed = |source| EmbeddingError::Read { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(self.data_start + start as u64)).map_err(failed)?;
        let mut left = end - start;
        let mut block = vec![0; BLOCK_BYTES.min(left)];
        while left > 0 {
            let count = left.min(BLOCK_BYTES);
            self.file.read_exact(&mut block[..count]).map_err(failed)?;
            take(&block[..count]);
            left -= count;
        }
        Ok(())
    }
}

type Convert = fn(&[u8], &mut Vec<f32>);

fn converter(info: &TensorInfo) -> Option<Convert> {
    if info.dtype == Dtype::F32 {
        Some(|bytes, values| values.extend(words(bytes).map(f32::from_le_bytes)))
    } else if info.dtype == Dtype::F16 {
        Some(|bytes, values| {
            values.extend(words(bytes).map(|word| f16::from_bits(u16::from_le_bytes(word)).to_f32()));
        })
    } else if info.dtype == Dtype::BF16 {
        // A bfloat16 is the upper half of an f32.
        Some(|bytes, values| {
            values.extend(words(bytes).map(|word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)));
        })
    } else {
        None
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}
