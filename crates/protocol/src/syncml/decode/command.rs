use super::super::source::Source;
use super::super::{
    Address, Alert, Challenge, Command, Credential, DecodeFault, Exec, Get, Item, Meta, Nested, NestedKind, Results,
    Status, StatusCode, Text, Write, WriteKind,
};
use super::{Child, Decoder};
use crate::limits::check;
use crate::wbxml::tags::Tag;

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// The children of `SyncBody`.
    pub(super) fn commands(&mut self, commands: &mut Vec<Command>, is_final: &mut bool) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            if tag == Tag::Final {
                *is_final = this.flag()?;
                return Ok(Child::Taken);
            }
            this.command(tag, commands)
        })
    }

    #[inline]
    fn command(&mut self, tag: Tag, into: &mut Vec<Command>) -> Result<Child, DecodeFault> {
        let is_command = matches!(
            tag,
            Tag::Alert
                | Tag::Add
                | Tag::Copy
                | Tag::Delete
                | Tag::Replace
                | Tag::Get
                | Tag::Exec
                | Tag::Atomic
                | Tag::Sequence
                | Tag::Results
                | Tag::Status
                | Tag::Put
                | Tag::Search
                | Tag::Sync
                | Tag::Map
                | Tag::Move
        );
        if !is_command {
            return Ok(Child::Unknown);
        }
        self.commands += 1;
        check("commands_max", self.limits.commands_max, self.commands, self.source.at())?;
        self.make_room(into);
        into.push(blank(tag));
        // Filled where it stays: a command is several hundred octets, and moving it about costs more than reading it.
        match into.last_mut() {
            Some(Command::Alert(alert)) => self.alert(alert)?,
            Some(Command::Write(write)) => self.write(write)?,
            Some(Command::Get(get)) => self.get(get)?,
            Some(Command::Exec(exec)) => self.exec(exec)?,
            Some(Command::Nested(nested)) => self.nested(nested)?,
            Some(Command::Results(results)) => self.results(results)?,
            Some(Command::Status(status)) => self.status(status)?,
            Some(Command::Unsupported { cmd_id, .. }) => self.unsupported(cmd_id)?,
            None => {}
        }
        Ok(Child::Taken)
    }

    /// Room for one more command. Once there are some, room for as many as the rest of the document holds if they go on
    /// alike, so that they need not be moved each time their number has doubled.
    #[inline]
    fn make_room(&self, commands: &mut Vec<Command>) {
        const FIRST: usize = 4;
        if commands.len() < commands.capacity() {
            return;
        }
        let read = self.source.at();
        let each = (read / self.commands.max(1)).max(1);
        let expected = (self.source.length().saturating_sub(read) / each + 1).min(self.limits.commands_max);
        commands.reserve_exact(if commands.is_empty() { FIRST } else { expected.max(commands.len() / 2) });
    }

    fn alert(&mut self, alert: &mut Alert) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut alert.cmd_id)?,
                Tag::Data => this.leaf(&mut alert.code)?,
                Tag::Correlator => this.leaf(alert.correlator.insert(Text::default()))?,
                Tag::Item => this.item(&mut alert.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn write(&mut self, write: &mut Write) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut write.cmd_id)?,
                Tag::Meta => this.meta(&mut write.meta)?,
                Tag::Item => this.item(&mut write.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn get(&mut self, get: &mut Get) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut get.cmd_id)?,
                Tag::Meta => this.meta(&mut get.meta)?,
                Tag::Item => this.item(&mut get.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn exec(&mut self, exec: &mut Exec) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut exec.cmd_id)?,
                Tag::Meta => this.meta(&mut exec.meta)?,
                Tag::Correlator => this.leaf(exec.correlator.insert(Text::default()))?,
                Tag::Item => this.item(&mut exec.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn nested(&mut self, nested: &mut Nested) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut nested.cmd_id)?,
                Tag::Meta => this.meta(&mut nested.meta)?,
                _ => return this.command(tag, &mut nested.commands),
            }
            Ok(Child::Taken)
        })
    }

    fn results(&mut self, results: &mut Results) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut results.cmd_id)?,
                Tag::MsgRef => this.leaf(results.msg_ref.insert(Text::default()))?,
                Tag::CmdRef => this.leaf(&mut results.cmd_ref)?,
                Tag::Meta => this.meta(&mut results.meta)?,
                Tag::TargetRef => this.leaf(results.target_ref.insert(Text::default()))?,
                Tag::SourceRef => this.leaf(results.source_ref.insert(Text::default()))?,
                Tag::Item => this.item(&mut results.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn status(&mut self, status: &mut Status) -> Result<(), DecodeFault> {
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => this.leaf(&mut status.cmd_id)?,
                Tag::MsgRef => this.leaf(&mut status.msg_ref)?,
                Tag::CmdRef => this.leaf(&mut status.cmd_ref)?,
                Tag::Cmd => this.leaf(&mut status.cmd)?,
                Tag::TargetRef => this.reference(&mut status.target_refs)?,
                Tag::SourceRef => this.reference(&mut status.source_refs)?,
                Tag::Cred => this.credential(status.cred.insert(Credential::default()))?,
                Tag::Chal => this.challenge(status.chal.insert(Challenge::default()))?,
                Tag::Data => status.code = this.status_code()?,
                Tag::Item => this.item(&mut status.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }

    fn reference(&mut self, references: &mut Vec<Text>) -> Result<(), DecodeFault> {
        push(references, Text::default());
        references.last_mut().map_or(Ok(()), |reference| self.leaf(reference))
    }

    fn status_code(&mut self) -> Result<StatusCode, DecodeFault> {
        if let Some(text) = self.source.simple_text() {
            return Ok(StatusCode::parse(text));
        }
        let mut text = Text::default();
        self.leaf(&mut text)?;
        Ok(StatusCode::parse(&text))
    }

    fn unsupported(&mut self, cmd_id: &mut Text) -> Result<(), DecodeFault> {
        self.children(|this, child| {
            if child != Tag::CmdID {
                return Ok(Child::Unknown);
            }
            this.leaf(cmd_id)?;
            Ok(Child::Taken)
        })
    }

    fn item(&mut self, items: &mut Vec<Item>) -> Result<(), DecodeFault> {
        check("items_max", self.limits.items_max, items.len() + 1, self.source.at())?;
        push(items, Item::default());
        let Some(item) = items.last_mut() else { return Ok(()) };
        self.children(|this, tag| {
            match tag {
                Tag::Target => this.address(item.target.insert(Address::default()))?,
                Tag::Source => this.address(item.source.insert(Address::default()))?,
                Tag::Meta => this.meta(&mut item.meta)?,
                Tag::Data => this.item_data(&mut item.data)?,
                Tag::MoreData => item.more_data = this.flag()?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })
    }
}

/// Appends. Most commands have one item and one reference, and a vector would take room for four.
#[inline]
fn push<T>(list: &mut Vec<T>, value: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(value);
}

/// The command of a tag, nothing in it yet. A `Status` without `Data` tells of no success, so it begins as
/// [`StatusCode::COMMAND_FAILED`].
#[inline]
fn blank(tag: Tag) -> Command {
    let write =
        |kind| Command::Write(Write { kind, cmd_id: Text::default(), meta: Meta::default(), items: Vec::new() });
    let nested =
        |kind| Command::Nested(Nested { kind, cmd_id: Text::default(), meta: Meta::default(), commands: Vec::new() });
    match tag {
        Tag::Alert => Command::Alert(Alert::default()),
        Tag::Add => write(WriteKind::Add),
        Tag::Copy => write(WriteKind::Copy),
        Tag::Delete => write(WriteKind::Delete),
        Tag::Replace => write(WriteKind::Replace),
        Tag::Get => Command::Get(Get::default()),
        Tag::Exec => Command::Exec(Exec::default()),
        Tag::Atomic => nested(NestedKind::Atomic),
        Tag::Sequence => nested(NestedKind::Sequence),
        Tag::Results => Command::Results(Results::default()),
        Tag::Status => Command::Status(Status { code: StatusCode::COMMAND_FAILED, ..Status::default() }),
        unused => Command::Unsupported { name: Text::from(unused.name()), cmd_id: Text::default() },
    }
}
