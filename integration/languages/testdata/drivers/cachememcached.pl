# Drives Perl's Cache::Memcached or Cache::Memcached::Fast, whichever is its argument.
# To Perl, what is stored are bytes, unless it is a reference.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64);

# How long the client waits for servers, in seconds: longer than it does by default,
# because the machine may be busy with other tests.
use constant PATIENCE => 15;

my $class = shift @ARGV;
eval "require $class" or die $@;
my $client;

# Returns the bytes that Go describes.
sub unpacked {
    my ($tagged) = @_;
    return decode_base64($tagged->{value}) if $tagged->{type} eq 'bytes';
    my $text = $tagged->{value};
    utf8::encode($text);
    return $text;
}

# Describes bytes to Go; a miss is null.
sub packed {
    my ($bytes) = @_;
    return undef unless defined $bytes;
    return { type => 'bytes', value => encode_base64($bytes, '') };
}

sub truth { return $_[0] ? JSON::PP::true : JSON::PP::false }

my %do = (
    open => sub {
        my ($request) = @_;
        my $weights = $request->{weights} || {};
        $client = $class->new({
            servers => [map { $weights->{$_} ? [$_, $weights->{$_}] : $_ } @{ $request->{servers} }],
            connect_timeout => PATIENCE, io_timeout => PATIENCE, select_timeout => PATIENCE,
            %{ $request->{options} || {} },
        });
        return undef;
    },
    set => sub { my ($r) = @_; return truth($client->set($r->{key}, unpacked($r->{value}), $r->{ttl} || 0)) },
    add => sub { my ($r) = @_; return truth($client->add($r->{key}, unpacked($r->{value}), $r->{ttl} || 0)) },
    append => sub { my ($r) = @_; return truth($client->append($r->{key}, unpacked($r->{value}))) },
    get => sub { my ($r) = @_; return packed($client->get($r->{key})) },
    set_multi => sub {
        my ($r) = @_;
        my $values = $r->{values};
        my $stored = grep { $client->set($_, unpacked($values->{$_})) } keys %$values;
        return truth($stored == keys %$values);
    },
    get_multi => sub {
        my ($r) = @_;
        my $found = $client->get_multi(@{ $r->{keys} });
        return { map { $_ => packed($found->{$_}) } keys %$found };
    },
    delete => sub { my ($r) = @_; return truth($client->delete($r->{key})) },
    incr => sub {
        my ($r) = @_;
        return "$r->{initial}" if $client->add($r->{key}, $r->{initial});
        return '' . $client->incr($r->{key}, $r->{by});
    },
    decr => sub {
        my ($r) = @_;
        return "$r->{initial}" if $client->add($r->{key}, $r->{initial});
        return '' . $client->decr($r->{key}, $r->{by});
    },
);

$| = 1;
my $json = JSON::PP->new->utf8;
while (defined(my $line = <STDIN>)) {
    my $request = $json->decode($line);
    my $result = eval { $do{ $request->{op} }->($request) };
    print $json->encode($@ ? { error => "$@" } : { result => $result }), "\n";
}
