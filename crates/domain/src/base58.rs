//! Addresses and signatures of Solana, as bytes whose text form is base58.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Text that is not the base58 form of the right number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Base58Error {
    /// A character outside the base58 alphabet.
    #[error("not base58: {0}")]
    Alphabet(bs58::decode::Error),
    /// Well-formed base58 of another length.
    #[error("base58 of {actual} bytes where {expected} are wanted")]
    Length {
        /// Bytes wanted.
        expected: usize,
        /// Bytes found.
        actual: usize,
    },
}

/// Declares a fixed-length byte string whose text form is base58.
macro_rules! base58_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Wraps raw bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Base58Error;

            fn from_str(text: &str) -> Result<Self, Base58Error> {
                let bytes = bs58::decode(text).into_vec().map_err(Base58Error::Alphabet)?;
                let actual = bytes.len();
                let bytes = bytes.try_into().map_err(|_| Base58Error::Length { expected: $length, actual })?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bs58::encode(&self.0).into_string())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

base58_bytes!(
    /// The address of the user's wallet, owner of the NFT: 32 bytes.
    WalletAddress, 32, "^[1-9A-HJ-NP-Za-km-z]{32,44}$"
);
base58_bytes!(
    /// The address of a mint account: 32 bytes.
    MintAddress, 32, "^[1-9A-HJ-NP-Za-km-z]{32,44}$"
);
base58_bytes!(
    /// The first signature of a transaction, which is its name: 64 bytes.
    Signature, 64, "^[1-9A-HJ-NP-Za-km-z]{64,88}$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        let wallet = WalletAddress::from_bytes([7; 32]);
        assert_eq!(wallet.to_string().parse(), Ok(wallet));
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        assert!(matches!("0OIl".parse::<WalletAddress>(), Err(Base58Error::Alphabet(_))));
        assert_eq!("abc".parse::<WalletAddress>(), Err(Base58Error::Length { expected: 32, actual: 3 }));
    }
}
