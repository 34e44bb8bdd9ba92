use super::super::source::Source;
use super::super::{
    Alert, Command, DecodeFault, Exec, Get, Item, Meta, Nested, NestedKind, Results, Status, StatusCode, Text, Write,
    WriteKind,
};
use super::{Child, Decoder};
use crate::limits::check;
use crate::wbxml::tags::Tag;

impl<'a, S: Source<'a>> Decoder<'_, S> {
    /// The children of `SyncBody`.
    pub(super) fn commands(&mut self, is_final: &mut bool) -> Result<Vec<Command>, DecodeFault> {
        let mut commands = Vec::new();
        self.children(|this, tag| {
            if tag == Tag::Final {
                *is_final = this.flag()?;
                return Ok(Child::Taken);
            }
            this.command(tag, &mut commands)
        })?;
        Ok(commands)
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
        into.push(match tag {
            Tag::Alert => Command::Alert(self.alert()?),
            Tag::Add => Command::Write(self.write(WriteKind::Add)?),
            Tag::Copy => Command::Write(self.write(WriteKind::Copy)?),
            Tag::Delete => Command::Write(self.write(WriteKind::Delete)?),
            Tag::Replace => Command::Write(self.write(WriteKind::Replace)?),
            Tag::Get => Command::Get(self.get()?),
            Tag::Exec => Command::Exec(self.exec()?),
            Tag::Atomic => Command::Nested(self.nested(NestedKind::Atomic)?),
            Tag::Sequence => Command::Nested(self.nested(NestedKind::Sequence)?),
            Tag::Results => Command::Results(self.results()?),
            Tag::Status => Command::Status(self.status()?),
            unused => self.unsupported(unused)?,
        });
        Ok(Child::Taken)
    }

    fn alert(&mut self) -> Result<Alert, DecodeFault> {
        let mut alert = Alert::default();
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => alert.cmd_id = this.leaf()?,
                Tag::Data => alert.code = this.leaf()?,
                Tag::Correlator => alert.correlator = Some(this.leaf()?),
                Tag::Item => this.item(&mut alert.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(alert)
    }

    fn write(&mut self, kind: WriteKind) -> Result<Write, DecodeFault> {
        let mut write = Write { kind, cmd_id: Text::default(), meta: Meta::default(), items: Vec::new() };
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => write.cmd_id = this.leaf()?,
                Tag::Meta => this.meta(&mut write.meta)?,
                Tag::Item => this.item(&mut write.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(write)
    }

    fn get(&mut self) -> Result<Get, DecodeFault> {
        let mut get = Get::default();
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => get.cmd_id = this.leaf()?,
                Tag::Meta => this.meta(&mut get.meta)?,
                Tag::Item => this.item(&mut get.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(get)
    }

    fn exec(&mut self) -> Result<Exec, DecodeFault> {
        let mut exec = Exec::default();
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => exec.cmd_id = this.leaf()?,
                Tag::Meta => this.meta(&mut exec.meta)?,
                Tag::Correlator => exec.correlator = Some(this.leaf()?),
                Tag::Item => this.item(&mut exec.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(exec)
    }

    fn nested(&mut self, kind: NestedKind) -> Result<Nested, DecodeFault> {
        let mut nested = Nested { kind, cmd_id: Text::default(), meta: Meta::default(), commands: Vec::new() };
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => nested.cmd_id = this.leaf()?,
                Tag::Meta => this.meta(&mut nested.meta)?,
                _ => return this.command(tag, &mut nested.commands),
            }
            Ok(Child::Taken)
        })?;
        Ok(nested)
    }

    fn results(&mut self) -> Result<Results, DecodeFault> {
        let mut results = Results::default();
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => results.cmd_id = this.leaf()?,
                Tag::MsgRef => results.msg_ref = Some(this.leaf()?),
                Tag::CmdRef => results.cmd_ref = this.leaf()?,
                Tag::Meta => this.meta(&mut results.meta)?,
                Tag::TargetRef => results.target_ref = Some(this.leaf()?),
                Tag::SourceRef => results.source_ref = Some(this.leaf()?),
                Tag::Item => this.item(&mut results.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(results)
    }

    /// `Status`. One without `Data` tells of no success, so it reads as [`StatusCode::COMMAND_FAILED`].
    fn status(&mut self) -> Result<Status, DecodeFault> {
        let mut status = Status { code: StatusCode::COMMAND_FAILED, ..Status::default() };
        self.children(|this, tag| {
            match tag {
                Tag::CmdID => status.cmd_id = this.leaf()?,
                Tag::MsgRef => status.msg_ref = this.leaf()?,
                Tag::CmdRef => status.cmd_ref = this.leaf()?,
                Tag::Cmd => status.cmd = this.leaf()?,
                Tag::TargetRef => status.target_refs.push(this.leaf()?),
                Tag::SourceRef => status.source_refs.push(this.leaf()?),
                Tag::Cred => status.cred = Some(this.credential()?),
                Tag::Chal => status.chal = Some(this.challenge()?),
                Tag::Data => status.code = StatusCode::parse(&this.leaf()?),
                Tag::Item => this.item(&mut status.items)?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        Ok(status)
    }

    fn unsupported(&mut self, tag: Tag) -> Result<Command, DecodeFault> {
        let mut cmd_id = Text::default();
        self.children(|this, child| {
            if child != Tag::CmdID {
                return Ok(Child::Unknown);
            }
            cmd_id = this.leaf()?;
            Ok(Child::Taken)
        })?;
        Ok(Command::Unsupported { name: Text::from(tag.name()), cmd_id })
    }

    fn item(&mut self, items: &mut Vec<Item>) -> Result<(), DecodeFault> {
        check("items_max", self.limits.items_max, items.len() + 1, self.source.at())?;
        let mut item = Item::default();
        self.children(|this, tag| {
            match tag {
                Tag::Target => item.target = Some(this.address()?),
                Tag::Source => item.source = Some(this.address()?),
                Tag::Meta => this.meta(&mut item.meta)?,
                Tag::Data => item.data = Some(this.item_data()?),
                Tag::MoreData => item.more_data = this.flag()?,
                _ => return Ok(Child::Unknown),
            }
            Ok(Child::Taken)
        })?;
        if items.is_empty() {
            // Most commands have one item, and a vector would take room for four.
            items.reserve_exact(1);
        }
        items.push(item);
        Ok(())
    }
}
