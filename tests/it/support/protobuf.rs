//! Messages of protobuf, by hand: parsers do not know all of ONNX's types.

#[derive(Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    pub fn number(
        mut self,
        field: u8,
        value: impl TryInto<u64, Error: std::fmt::Debug>,
    ) -> Message {
        assert!(field < 16);
        self.0.push(field << 3);
        self.put(value.try_into().unwrap());
        self
    }

    pub fn bytes(self, field: u8, content: impl AsRef<[u8]>) -> Message {
        let content = content.as_ref();
        let mut message = self.length(field, content.len() as u64);
        message.0.extend(content);
        message
    }

    pub fn message(self, field: u8, content: Message) -> Message {
        self.bytes(field, content.0)
    }

    /// The head of a field of that many bytes, which follow.
    pub fn length(mut self, field: u8, length: u64) -> Message {
        assert!(field < 16);
        self.0.push(field << 3 | 2);
        self.put(length);
        self
    }

    fn put(&mut self, mut value: u64) {
        while value >= 128 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
